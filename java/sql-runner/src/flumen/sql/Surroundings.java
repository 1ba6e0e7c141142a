package flumen.sql;

import java.lang.reflect.Method;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** What this process is to Flink: an application's JobManager, a client of a cluster, or everything in one. */
final class Surroundings {
    static final String RUNTIME_MODE = "execution.runtime-mode";

    private final Configuration configuration;

    private Surroundings(Configuration configuration) {
        this.configuration = configuration;
    }

    /** The method is protected in Flink 1.13, and public with another return type from 1.14 on. */
    static Surroundings look() throws ReflectiveOperationException {
        Method method = StreamExecutionEnvironment.class.getDeclaredMethod("getConfiguration");
        method.setAccessible(true);
        Object found = method.invoke(StreamExecutionEnvironment.getExecutionEnvironment());
        return new Surroundings((Configuration) found);
    }

    String runtimeMode() {
        return configuration.getString(RUNTIME_MODE, null);
    }

    /**
     * Whether jobs end with this process, or whoever called it waits for it. In an application's JobManager nobody
     * does: Flink looks after its jobs itself, and a job that is stopped there is no failure of the script.
     */
    boolean waitForJobs() {
        String target = configuration.getString("execution.target", "local");
        boolean isOwnCluster = target.equals("embedded") || target.endsWith("-application");
        return target.equals("local")
                || !isOwnCluster && configuration.getString("execution.attached", "false").equals("true");
    }
}
