package org.apache.flink.table.api;

import java.util.Optional;
import java.util.concurrent.ExecutionException;
import org.apache.flink.core.execution.JobClient;

public interface TableResult {
    Optional<JobClient> getJobClient();

    void await() throws InterruptedException, ExecutionException;

    ResultKind getResultKind();

    void print();
}
