package org.apache.flink.configuration;

public class ConfigOptions {
    public static native OptionBuilder key(String key);

    public static final class OptionBuilder {
        public native TypedConfigOptionBuilder<String> stringType();
    }

    public static class TypedConfigOptionBuilder<T> {
        public native ConfigOption<T> noDefaultValue();
    }
}
