package org.apache.flink.client.cli;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.apache.flink.configuration.Configuration;

/** Parses each line of standard input (an action and its arguments, with tabs between) as Flink's client does. */
public final class CommandLines {
    public static void main(String[] ignored) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split("\t", -1);
            String[] arguments = Arrays.copyOfRange(words, 1, words.length);
            System.out.println(parse(words[0], arguments));
        }
    }

    private static String parse(String action, String[] arguments) {
        Options custom = new Options();
        new GenericCLI(new Configuration(), "/tmp").addGeneralOptions(custom);
        new DefaultCLI().addGeneralOptions(custom);
        Options options = CliFrontendParser.mergeOptions(of(action), custom);
        boolean stop = action.startsWith("run") || action.equals("info");
        try {
            return shown(CliFrontendParser.parse(options, arguments, stop));
        } catch (CliArgsException refusal) {
            return "refused";
        } catch (RuntimeException fault) {
            return "fault";
        }
    }

    private static Options of(String action) {
        switch (action) {
            case "info": return CliFrontendParser.getInfoCommandOptions();
            case "list": return CliFrontendParser.getListCommandOptions();
            case "stop": return CliFrontendParser.getStopCommandOptions();
            case "cancel": return CliFrontendParser.getCancelCommandOptions();
            case "savepoint": return CliFrontendParser.getSavepointCommandOptions();
            case "checkpoint": return CliFrontendParser.getCheckpointCommandOptions();
            default: return CliFrontendParser.getRunCommandOptions();
        }
    }

    private static String shown(CommandLine line) {
        Map<String, List<String>> given = new TreeMap<>();
        for (Option option : line.getOptions()) {
            String name = option.getOpt();
            if (!name.equals("D")) {
                String[] values = line.getOptionValues(name);
                given.put(name, values == null ? new ArrayList<>() : Arrays.asList(values));
            }
        }
        Map<String, String> properties = new TreeMap<>();
        line.getOptionProperties("D").forEach((key, value) -> properties.put("" + key, "" + value));
        return "options " + given + "\tproperties " + properties + "\targuments " + line.getArgList();
    }
}
