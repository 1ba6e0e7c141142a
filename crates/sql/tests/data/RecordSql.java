import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.calcite.config.Lex;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.parser.SqlParseException;
import org.apache.calcite.sql.parser.SqlParser;
import org.apache.calcite.sql.parser.SqlParserPos;
import org.apache.flink.sql.parser.impl.FlinkSqlParserImpl;
import org.apache.flink.sql.parser.validate.FlinkSqlConformance;
import org.apache.flink.table.operations.Operation;
import org.apache.flink.table.planner.parse.ExtendedParser;

/**
 * Says what Flink's own parser makes of scripts: RecordSql SCRIPTS.
 *
 * <p>Scripts stand in one file with a line {@code %%} between them. The answer is a line for each: the
 * operation that the extended parser makes of it, else every statement with its class, kind and span,
 * else where the parser stopped: {@code incomplete} if at the end of the text, {@code error} if before.
 */
public class RecordSql {
    private static final SqlParser.Config CONFIG =
            SqlParser.config()
                    .withParserFactory(FlinkSqlParserImpl.FACTORY)
                    .withConformance(FlinkSqlConformance.DEFAULT)
                    .withLex(Lex.JAVA)
                    .withIdentifierMaxLength(256);

    public static void main(String[] arguments) throws Exception {
        String scripts = Files.readString(Path.of(arguments[0]), StandardCharsets.UTF_8);
        StringBuilder answers = new StringBuilder();
        for (String script : scripts.split("(?m)^%%\n")) {
            answers.append(answer(script)).append('\n');
        }
        System.out.print(answers);
    }

    private static String answer(String script) {
        Optional<Operation> operation = ExtendedParser.INSTANCE.parse(script);
        if (operation.isPresent()) {
            return "extended " + operation.get().getClass().getSimpleName();
        }
        try {
            StringBuilder nodes = new StringBuilder("statements");
            for (SqlNode node : SqlParser.create(script, CONFIG).parseStmtList()) {
                SqlParserPos at = node.getParserPosition();
                nodes.append(' ').append(node.getClass().getSimpleName()).append(' ').append(node.getKind());
                nodes.append(' ').append(at.getLineNum()).append(':').append(at.getColumnNum());
                nodes.append('-').append(at.getEndLineNum()).append(':').append(at.getEndColumnNum());
            }
            return nodes.toString();
        } catch (SqlParseException refusal) {
            boolean incomplete = refusal.getMessage().contains("Encountered \"<EOF>\"");
            SqlParserPos at = refusal.getPos();
            String where = at == null ? "" : " " + at.getLineNum() + ":" + at.getColumnNum();
            return (incomplete ? "incomplete" : "error") + where;
        } catch (RuntimeException | Error refusal) {
            return "error";
        }
    }
}
