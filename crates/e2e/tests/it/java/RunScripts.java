import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Runs many scripts in one JVM, each on a Flink of its own: RunScripts MAIN-CLASS DIRECTORY.
 *
 * <p>{@code DIRECTORY/usrlib} is to the runner what a job's usrlib is: what lies there comes from a loader that Flink's
 * classes do not know, the context class loader. Tasks of this Flink do not get at it. A line of {@code DIRECTORY/questions} has the arguments for the N-th run. It leaves
 * {@code N.said}; {@code N.log}, Flink's log of it; and, if it failed, {@code N.failure}.
 */
public class RunScripts {
    public static void main(String[] arguments) throws Exception {
        Path directory = Path.of(arguments[1]);
        PrintStream out = System.out;
        Path log = directory.resolve("log");
        int at = 0;
        for (String question : Files.readAllLines(directory.resolve("questions"))) {
            long logged = Files.size(log);
            ByteArrayOutputStream said = new ByteArrayOutputStream();
            System.setOut(new PrintStream(said, true, "UTF-8"));
            try {
                run(arguments[0], directory, question.split(" "));
            } catch (InvocationTargetException refusal) {
                String text = refusal.getCause().getMessage();
                Files.writeString(directory.resolve(at + ".failure"), text);
            }
            System.setOut(out);
            Files.write(directory.resolve(at + ".said"), said.toByteArray());
            byte[] all = Files.readAllBytes(log);
            String own = new String(all, (int) logged, (int) (all.length - logged), StandardCharsets.UTF_8);
            Files.writeString(directory.resolve(at + ".log"), own);
            at++;
        }
        System.exit(0);
    }

    private static void run(String mainClass, Path directory, String[] arguments) throws Exception {
        File[] files = directory.resolve("usrlib").toFile().listFiles();
        Arrays.sort(files);
        URL[] usrlib = new URL[files.length];
        for (int at = 0; at < files.length; at++) {
            usrlib[at] = files[at].toURI().toURL();
        }
        ClassLoader loader = new URLClassLoader(usrlib, RunScripts.class.getClassLoader());
        Thread.currentThread().setContextClassLoader(loader);
        Method main = loader.loadClass(mainClass).getMethod("main", String[].class);
        main.invoke(null, (Object) arguments);
    }
}
