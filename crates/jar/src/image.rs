//! What every Flink image has: one class of each artifact, by which it is known in a jar. The classes are
//! in `lib/` of the released Flink 1.15 to 2.3 (`flink-table-planner` inside of its loader).

const MARKERS: [(&str, &str); 14] = [
    ("flink-core", "org/apache/flink/configuration/Configuration.class"),
    ("flink-runtime", "org/apache/flink/runtime/jobgraph/JobGraph.class"),
    (
        "flink-streaming-java",
        "org/apache/flink/streaming/api/environment/StreamExecutionEnvironment.class",
    ),
    ("flink-java", "org/apache/flink/api/java/ExecutionEnvironment.class"),
    ("flink-scala", "org/apache/flink/api/scala/ExecutionEnvironment.class"),
    ("flink-clients", "org/apache/flink/client/cli/CliFrontend.class"),
    ("flink-table-api-java", "org/apache/flink/table/api/TableEnvironment.class"),
    (
        "flink-table-api-java-bridge",
        "org/apache/flink/table/api/bridge/java/StreamTableEnvironment.class",
    ),
    ("flink-table-common", "org/apache/flink/table/factories/FactoryUtil.class"),
    ("flink-table-runtime", "org/apache/flink/table/runtime/operators/TableStreamOperator.class"),
    ("flink-table-planner", "org/apache/flink/table/planner/delegation/PlannerBase.class"),
    ("flink-connector-files", "org/apache/flink/connector/file/src/FileSource.class"),
    ("flink-json", "org/apache/flink/formats/json/JsonFormatFactory.class"),
    ("flink-csv", "org/apache/flink/formats/csv/CsvFormatFactory.class"),
];

/// The artifacts of Flink's image that a jar with these entries holds.
pub(crate) fn bundled(has_entry: impl Fn(&str) -> bool) -> Vec<&'static str> {
    MARKERS.iter().filter(|(_, class)| has_entry(class)).map(|(artifact, _)| *artifact).collect()
}
