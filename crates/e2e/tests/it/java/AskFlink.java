import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.ConfigOptions.OptionBuilder;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.runtime.util.bash.BashJavaUtils;

/**
 * Asks Flink's own classes many questions in one JVM: AskFlink QUESTIONS ANSWERS.
 *
 * <p>A question is a line with a word and a configuration directory: {@code read}, {@code typed},
 * {@code jobmanager} or {@code taskmanager}. An answer is a line of JSON: {@code {"values": {...}}} as
 * Flink reads the directory's file, as text or as the types that the keys begin with; {@code {"lines":
 * [...]}} as bin/config.sh gets them; or {@code {"error": "..."}}.
 */
public class AskFlink {
    private static final String RESULT = "BASH_JAVA_UTILS_EXEC_RESULT:";

    public static void main(String[] arguments) throws Exception {
        StringBuilder answers = new StringBuilder();
        for (String question : Files.readAllLines(Path.of(arguments[0]))) {
            String[] words = question.split(" ", 2);
            answers.append(answer(words[0], words[1])).append('\n');
        }
        Files.writeString(Path.of(arguments[1]), answers);
    }

    private static String answer(String what, String directory) {
        try {
            switch (what) {
                case "read":
                    return values(GlobalConfiguration.loadConfiguration(directory).toMap());
                case "typed":
                    return values(typed(GlobalConfiguration.loadConfiguration(directory)));
                case "jobmanager":
                    return lines("GET_JM_RESOURCE_PARAMS", directory);
                default:
                    return lines("GET_TM_RESOURCE_PARAMS", directory);
            }
        } catch (Throwable failure) {
            StringBuilder text = new StringBuilder();
            for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
                text.append(cause.getMessage()).append('\n');
            }
            return "{\"error\": " + quoted(text.toString()) + "}";
        }
    }

    private static Map<String, String> typed(Configuration configuration) {
        Map<String, String> values = new TreeMap<>();
        for (String key : configuration.keySet()) {
            try {
                values.put(key, typed(configuration, key));
            } catch (RuntimeException refusal) {
                values.put(key, "error");
            }
        }
        return values;
    }

    private static String typed(Configuration configuration, String key) {
        OptionBuilder option = ConfigOptions.key(key);
        switch (key.substring(0, key.indexOf('.'))) {
            case "size":
                return "" + configuration.get(option.memoryType().noDefaultValue()).getBytes();
            case "duration":
                Duration duration = configuration.get(option.durationType().noDefaultValue());
                return duration.getSeconds() + " s " + duration.getNano() + " ns";
            case "boolean":
                return "" + configuration.get(option.booleanType().noDefaultValue());
            case "integer":
                return "" + configuration.get(option.longType().noDefaultValue());
            case "double":
                return "" + Double.doubleToLongBits(configuration.get(option.doubleType().noDefaultValue()));
            case "list":
                return texts(configuration.get(option.stringType().asList().noDefaultValue()));
            default:
                StringBuilder text = new StringBuilder();
                new TreeMap<>(configuration.get(option.mapType().noDefaultValue()))
                        .forEach((name, value) -> text.append(texts(List.of(name, value))));
                return text.toString();
        }
    }

    private static String texts(List<String> items) {
        StringBuilder text = new StringBuilder();
        items.forEach(item -> text.append(item.length()).append('<').append(item).append('>'));
        return text.toString();
    }

    private static String values(Map<String, String> map) {
        StringBuilder json = new StringBuilder("{\"values\": {");
        String separator = "";
        for (Map.Entry<String, String> entry : new TreeMap<>(map).entrySet()) {
            json.append(separator).append(quoted(entry.getKey())).append(": ").append(quoted(entry.getValue()));
            separator = ", ";
        }
        return json.append("}}").toString();
    }

    private static String lines(String command, String directory) throws Exception {
        PrintStream console = System.out;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        System.setOut(new PrintStream(said, true, StandardCharsets.UTF_8));
        try {
            BashJavaUtils.main(new String[] {command, "--configDir", directory});
        } finally {
            System.setOut(console);
        }
        StringBuilder json = new StringBuilder("{\"lines\": [");
        String separator = "";
        for (String line : said.toString(StandardCharsets.UTF_8).split("\n")) {
            if (line.startsWith(RESULT)) {
                json.append(separator).append(quoted(line.substring(RESULT.length())));
                separator = ", ";
            }
        }
        return json.append("]}").toString();
    }

    private static String quoted(String text) {
        StringBuilder json = new StringBuilder("\"");
        for (char unit : text.toCharArray()) {
            if (unit >= ' ' && unit <= '~' && unit != '"' && unit != '\\') {
                json.append(unit);
            } else {
                json.append(String.format("\\u%04x", (int) unit));
            }
        }
        return json.append('"').toString();
    }
}
