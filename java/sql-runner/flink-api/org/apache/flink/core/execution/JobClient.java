package org.apache.flink.core.execution;

import org.apache.flink.api.common.JobID;

public interface JobClient {
    JobID getJobID();
}
