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
    private final Report report;
    private final Surroundings surroundings;
    private final TableEnvironment tables;
    private final StatementSet job;
    private final List<Statement> inserts = new ArrayList<>();
    private final Set<String> keysSet = new HashSet<>();
    private final List<Failure> failures = new ArrayList<>();

    Run(List<Statement> statements, boolean explains, Report report) throws Exception {
        this.statements = statements;
        this.explains = explains;
        this.report = report;
        surroundings = Surroundings.look();
        tables = new Beginning(statements, surroundings).tables();
        job = tables.createStatementSet();
    }

    void run() throws Failure {
        for (Statement statement : statements) {
            try {
                carryOut(statement);
            } catch (Exception | LinkageError | AssertionError | StackOverflowError why) {
                Failure failure = new Failure(statement, why);
                // What follows would fail of it, or nobody would hear of the rest.
                if (!report.isForPrograms || !statement.isEnd()) {
                    throw failure;
                }
                failures.add(failure);
            }
        }
        if (!inserts.isEmpty()) {
            if (explains) {
                explainJob();
            } else {
                runJob();
            }
        }
        tellFailures();
    }

    /** All but the first, which is thrown. */
    private void tellFailures() throws Failure {
        if (failures.isEmpty()) {
            return;
        }
        for (Failure failure : failures.subList(1, failures.size())) {
            report.error(failure);
        }
        throw failures.get(0);
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
                    report.plan(statement, "this is the plan", tables.explainSql(text));
                } else {
                    finish(statement, tables.executeSql(text));
                }
                break;
            case CALL:
                if (explains) {
                    report.note(statement, "not carried out, as what it does cannot be explained");
                } else {
                    finish(statement, tables.executeSql(text));
                }
                break;
            case CATALOG:
                if (explains && !Catalogs.areOfThisProcess(tables, text)) {
                    report.note(statement, "not carried out, as it would change a catalog that others use");
                } else {
                    tables.executeSql(text);
                }
                break;
            case SESSION:
                tables.executeSql(text);
                break;
            default:
                TableResult shown = tables.executeSql(text);
                if (!report.isForPrograms) {
                    shown.print();
                }
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
            List<Failure> blamed = blamed(failure);
            if (!report.isForPrograms) {
                throw blamed.get(0);
            }
            failures.addAll(blamed);
            return;
        }
        // Without all its INSERTs it is the plan of another job.
        if (failures.isEmpty()) {
            report.plan(inserts.get(0), "this is the plan of the job", plan);
        }
    }

    private void runJob() throws Failure {
        TableResult result;
        try {
            result = job.execute();
        } catch (Exception | LinkageError | AssertionError | StackOverflowError failure) {
            throw blamed(failure).get(0);
        }
        try {
            finish(inserts.get(0), result);
        } catch (Exception failure) {
            throw new Failure(inserts.get(0), "the job failed: ", failure);
        }
    }

    /** Flink translates all INSERTs at once and does not say which one it refuses: each is asked for by itself. */
    private List<Failure> blamed(Throwable failure) {
        List<Failure> blamed = new ArrayList<>();
        for (Statement insert : inserts) {
            try {
                if (inserts.size() > 1) {
                    tables.explainSql(insert.text);
                }
            } catch (Exception | LinkageError | AssertionError | StackOverflowError own) {
                blamed.add(new Failure(insert, own));
            }
        }
        return blamed.isEmpty() ? Collections.singletonList(new Failure(inserts.get(0), failure)) : blamed;
    }

    private void finish(Statement statement, TableResult result) throws Exception {
        if (statement.kind == Kind.QUERY || !result.getJobClient().isPresent()) {
            if (result.getResultKind().name().equals("SUCCESS_WITH_CONTENT")) {
                result.print();
            }
            return;
        }
        JobClient client = result.getJobClient().get();
        Report.say(statement, "started the job " + client.getJobID());
        if (surroundings.waitForJobs()) {
            result.await();
        }
    }
}
