package org.apache.flink.api.common;

public class JobID {}
