package org.apache.flink.configuration;

public class Configuration {
    public native String getString(String key, String defaultValue);

    public native void setString(String key, String value);

    public native <T> boolean removeConfig(ConfigOption<T> option);
}
