package numbers;

/** A bounded job. It calls Flink by reflection, so that building it needs nothing but the plugins of Maven. */
public final class Numbers {
    private Numbers() {}

    public static void main(String[] arguments) throws Exception {
        Class<?> type = Class.forName("org.apache.flink.streaming.api.environment.StreamExecutionEnvironment");
        Object environment = type.getMethod("getExecutionEnvironment").invoke(null);
        Object numbers = type.getMethod("fromSequence", long.class, long.class).invoke(environment, 1L, 1000L);
        Class.forName("org.apache.flink.streaming.api.datastream.DataStream").getMethod("print").invoke(numbers);
        type.getMethod("execute", String.class).invoke(environment, "numbers");
    }
}
