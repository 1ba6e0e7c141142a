package org.apache.flink.streaming.api.environment;

public class StreamExecutionEnvironment {
    public static native StreamExecutionEnvironment getExecutionEnvironment();
}
