import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.Paths;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.PatternSyntaxException;

/** Serves the one jar that a pattern has, by HTTP. It runs on every JDK from 8. */
public final class HandOver {
    private static final int NONE = 97;
    private static final int SEVERAL = 98;
    /** What Maven and Gradle put beside the jar of a build. */
    private static final String[] BESIDES = {"-sources.jar", "-javadoc.jar", "-tests.jar"};

    private HandOver() {}

    public static void main(String[] arguments) throws Exception {
        Path root = Paths.get(System.getenv("WORKSPACE"), "checkout", System.getenv("DIRECTORY")).normalize();
        List<String> found = find(root, System.getenv("ARTIFACT"));
        if (found.size() != 1) {
            List<String> told = found.subList(0, Math.min(20, found.size()));
            String log = System.getenv().getOrDefault("TERMINATION_LOG", "/dev/termination-log");
            Files.write(Paths.get(log), String.join("\n", told).getBytes(StandardCharsets.UTF_8));
            System.err.println("flumen: " + found.size() + " jars are " + System.getenv("ARTIFACT") + " " + told);
            System.exit(found.isEmpty() ? NONE : SEVERAL);
        }
        serve(root.resolve(found.get(0)), found.get(0));
    }

    private static List<String> find(Path root, String pattern) throws IOException {
        List<String> found = new ArrayList<>();
        PathMatcher matcher;
        try {
            matcher = FileSystems.getDefault().getPathMatcher("glob:" + pattern);
        } catch (PatternSyntaxException e) {
            System.err.println("flumen: " + e.getMessage());
            return found;
        }
        Files.walkFileTree(root, new SimpleFileVisitor<Path>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
                boolean isGit = directory.getFileName().toString().equals(".git");
                return isGit ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                Path path = root.relativize(file);
                if (attributes.isRegularFile() && matcher.matches(path) && isTheJar(file.getFileName().toString())) {
                    found.add(path.toString());
                }
                return FileVisitResult.CONTINUE;
            }
        });
        Collections.sort(found);
        return found;
    }

    private static boolean isTheJar(String name) {
        for (String end : BESIDES) {
            if (name.endsWith(end)) {
                return false;
            }
        }
        return name.endsWith(".jar") && !name.startsWith("original-");
    }

    private static void serve(Path file, String path) throws Exception {
        long size = Files.size(file);
        String digest = sha256(file);
        System.out.println("flumen: " + path + ", " + size + " bytes, sha256:" + digest);
        int port = Integer.parseInt(System.getenv("PORT"));
        HttpServer server = HttpServer.create(new InetSocketAddress(port), 0);
        server.createContext(System.getenv("ADDRESS"), exchange -> {
            try {
                exchange.getResponseHeaders().set("x-flumen-sha256", digest);
                exchange.getResponseHeaders().set("x-flumen-path", ascii(path));
                exchange.getResponseHeaders().set("content-type", "application/java-archive");
                exchange.sendResponseHeaders(200, size == 0 ? -1 : size);
                try (OutputStream out = exchange.getResponseBody()) {
                    Files.copy(file, out);
                }
            } finally {
                exchange.close();
            }
        });
        server.start();
    }

    private static String ascii(String path) {
        return path.replaceAll("[^\\x20-\\x7e]", "?");
    }

    private static String sha256(Path file) throws Exception {
        MessageDigest hash = MessageDigest.getInstance("SHA-256");
        byte[] buffer = new byte[1 << 16];
        try (InputStream in = Files.newInputStream(file)) {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                hash.update(buffer, 0, read);
            }
        }
        StringBuilder text = new StringBuilder();
        for (byte one : hash.digest()) {
            text.append(String.format("%02x", one));
        }
        return text.toString();
    }
}
