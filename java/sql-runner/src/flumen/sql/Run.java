package flumen.sql;

import flumen.sql.Statement.Kind;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.table.api.StatementSet;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.TableResult;

/** Carries out a script, or explains it. */
final class Run {
    private final List<Statement> statements;
    private final boolean explains;
    private final Surroundings surroundings;
    private final TableEnvironment tables;
    private final StatementSet job;
    private final List<Statement> inserts = new ArrayList<>();
    private final Set<String> keysSet = new HashSet<>();

    Run(List<Statement> statements, boolean explains) throws Exception {
        this.statements = statements;
        this.explains = explains;
        surroundings = Surroundings.look();
        tables = new Beginning(statements, surroundings).tables();
        job = tables.createStatementSet();
    }

    void run() throws Failure {
        for (Statement statement : statements) {
            try {
                carryOut(statement);
            } catch (Exception | LinkageError | AssertionError | StackOverflowError failure) {
                throw new Failure(statement, failure);
            }
        }
        if (inserts.isEmpty()) {
            return;
        }
        if (explains) {
            explainJob();
        } else {
            runJob();
        }
    }

    private void carryOut(Statement statement) throws Exception {
        String text = statement.text;
        switch (statement.kind) {
            case SET:
                keysSet.add(text);
                settings().setString(text, statement.value);
                break;
            case RESET:
                for (String key : text.isEmpty() ? keysSet : Collections.singleton(text)) {
                    settings().removeConfig(ConfigOptions.key(key).stringType().noDefaultValue());
                }
                break;
            case INSERT:
                job.addInsertSql(text);
                inserts.add(statement);
                break;
            case QUERY:
            case CHANGE:
                if (explains) {
                    say(statement, "this is the plan\n" + tables.explainSql(text));
                } else {
                    finish(statement, tables.executeSql(text));
                }
                break;
            case CALL:
                if (explains) {
                    say(statement, "not carried out, as what it does cannot be explained");
                } else {
                    finish(statement, tables.executeSql(text));
                }
                break;
            case CATALOG:
                if (explains && !Catalogs.areOfThisProcess(tables, text)) {
                    say(statement, "not carried out, as it would change a catalog that others use");
                } else {
                    tables.executeSql(text);
                }
                break;
            case SESSION:
                tables.executeSql(text);
                break;
            default:
                tables.executeSql(text).print();
        }
    }

    private Configuration settings() {
        return tables.getConfig().getConfiguration();
    }

    private void explainJob() throws Failure {
        String plan;
        try {
            plan = job.explain();
        } catch (Exception | LinkageError | AssertionError | StackOverflowError failure) {
            throw blamed(failure);
        }
        say(inserts.get(0), "this is the plan of the job\n" + plan);
    }

    private void runJob() throws Failure {
        TableResult result;
        try {
            result = job.execute();
        } catch (Exception | LinkageError | AssertionError | StackOverflowError failure) {
            throw blamed(failure);
        }
        try {
            finish(inserts.get(0), result);
        } catch (Exception failure) {
            throw new Failure(inserts.get(0), "the job failed: ", failure);
        }
    }

    /** Flink translates all INSERTs at once and does not say which one it refuses: each is asked for by itself. */
    private Failure blamed(Throwable failure) {
        for (Statement insert : inserts) {
            try {
                if (inserts.size() > 1) {
                    tables.explainSql(insert.text);
                }
            } catch (Exception | LinkageError | AssertionError | StackOverflowError own) {
                return new Failure(insert, own);
            }
        }
        return new Failure(inserts.get(0), failure);
    }

    private void finish(Statement statement, TableResult result) throws Exception {
        if (statement.kind == Kind.QUERY || !result.getJobClient().isPresent()) {
            if (result.getResultKind().name().equals("SUCCESS_WITH_CONTENT")) {
                result.print();
            }
            return;
        }
        JobClient client = result.getJobClient().get();
        say(statement, "started the job " + client.getJobID());
        if (surroundings.waitForJobs()) {
            result.await();
        }
    }

    private static void say(Statement statement, String what) {
        System.out.println(statement.start + ": " + what);
    }
}
