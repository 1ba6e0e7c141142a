package flumen.fetch;

import java.io.File;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;

/**
 * Fetches the files of a list into a directory: {@code Fetcher LIST DIRECTORY}. Each line of the list is SHA-256, size in
 * bytes, path below the directory and URL, with tabs between them. A file has its name only once its digest is right.
 */
public final class Fetcher {
    private static final int ATTEMPTS = 8;
    private static final int CONNECT_MILLIS = 10_000;
    private static final int READ_MILLIS = 60_000;
    private static final long LONGEST_PAUSE_MILLIS = 15_000;

    private final File list;
    private final File directory;
    private final long pauseMillis;

    private Fetcher(File list, File directory, long pauseMillis) {
        this.list = list;
        this.directory = directory;
        this.pauseMillis = pauseMillis;
    }

    public static void main(String[] arguments) throws InterruptedException {
        if (arguments.length != 2) {
            System.err.println("usage: Fetcher LIST DIRECTORY");
            System.exit(2);
        }
        long pause = Long.getLong("flumen.fetch.pause", 500);
        try {
            new Fetcher(new File(arguments[0]), new File(arguments[1]), pause).run();
        } catch (Failure failure) {
            System.err.println(failure.getMessage());
            System.exit(1);
        }
    }

    private void run() throws Failure, InterruptedException {
        for (Entry entry : read()) {
            long started = System.nanoTime();
            boolean fetched = fetch(entry);
            long millis = (System.nanoTime() - started) / 1_000_000;
            System.out.println(
                    (fetched ? "fetched " : "found ") + entry.path + ", " + entry.size + " bytes, in " + millis + " ms");
        }
    }

    private List<Entry> read() throws Failure {
        List<Entry> entries = new ArrayList<>();
        try {
            for (String line : Files.readAllLines(list.toPath(), StandardCharsets.UTF_8)) {
                if (!line.isEmpty()) {
                    entries.add(Entry.parse(line));
                }
            }
        } catch (IOException problem) {
            throw new Failure("could not read the list of files " + list + ": " + reason(problem), false);
        }
        return entries;
    }

    /** Returns false if the file was there already. */
    private boolean fetch(Entry entry) throws Failure, InterruptedException {
        File target = new File(directory, entry.path);
        File part = new File(directory, entry.path + ".part");
        try {
            Files.createDirectories(target.getParentFile().toPath());
            if (target.length() == entry.size && entry.digest.equals(digest(target))) {
                return false;
            }
        } catch (IOException problem) {
            throw failed(entry, "could not write " + target + ": " + reason(problem), false);
        }
        Entry current = entry;
        for (int attempt = 1; ; attempt++) {
            try {
                download(current, part);
                settle(current, part, target);
                return true;
            } catch (Failure failure) {
                if (!failure.mayPass || attempt == ATTEMPTS) {
                    throw failure;
                }
                System.err.println(failure.getMessage() + "; trying again");
            }
            Thread.sleep(Math.min(pauseMillis << (attempt - 1), LONGEST_PAUSE_MILLIS));
            // Links end; newer ones are put into the same file.
            for (Entry newer : read()) {
                if (newer.path.equals(entry.path) && newer.digest.equals(entry.digest)) {
                    current = newer;
                }
            }
        }
    }

    /** Adds what is missing to the part of the file that is there. */
    private void download(Entry entry, File part) throws Failure {
        long have = part.length();
        if (have > entry.size) {
            remove(entry, part);
            have = 0;
        }
        if (part.exists() && have == entry.size) {
            return;
        }
        HttpURLConnection connection = null;
        try {
            connection = (HttpURLConnection) new URL(entry.url).openConnection();
            connection.setConnectTimeout(CONNECT_MILLIS);
            connection.setReadTimeout(READ_MILLIS);
            connection.setRequestProperty("Accept-Encoding", "identity");
            if (have > 0) {
                connection.setRequestProperty("Range", "bytes=" + have + "-");
            }
            int status = connection.getResponseCode();
            boolean goesOn = status == 206 && startsAt(connection, have);
            if (status == 416 || status == 206 && !goesOn) {
                remove(entry, part);
                throw failed(entry, "it does not send the rest of what was fetched before", true);
            }
            if (status != 200 && status != 206) {
                boolean mayPass = status >= 500 || status == 403 || status == 408 || status == 429;
                throw failed(entry, "it answers " + status, mayPass);
            }
            copy(entry, connection.getInputStream(), part, goesOn);
        } catch (ClassCastException | IllegalArgumentException problem) {
            throw failed(entry, "it is no http or https URL", false);
        } catch (IOException problem) {
            throw failed(entry, reason(problem), true);
        } finally {
            if (connection != null) {
                connection.disconnect();
            }
        }
    }

    private static boolean startsAt(HttpURLConnection connection, long have) {
        String range = connection.getHeaderField("Content-Range");
        return have > 0 && range != null && range.startsWith("bytes " + have + "-");
    }

    private static void copy(Entry entry, InputStream from, File part, boolean goesOn) throws IOException, Failure {
        byte[] buffer = new byte[1 << 16];
        long size = goesOn ? part.length() : 0;
        try (InputStream in = from;
                OutputStream out = new FileOutputStream(part, goesOn)) {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                size += read;
                if (size > entry.size) {
                    break;
                }
                out.write(buffer, 0, read);
            }
        }
        if (size > entry.size) {
            remove(entry, part);
            throw failed(entry, "it sends more than " + entry.size + " bytes", false);
        }
        if (size < entry.size) {
            throw failed(entry, "it ends after " + size + " of " + entry.size + " bytes", true);
        }
    }

    private static void settle(Entry entry, File part, File target) throws Failure {
        try {
            String actual = digest(part);
            if (!entry.digest.equals(actual)) {
                remove(entry, part);
                throw failed(entry, "its SHA-256 is " + actual + " and must be " + entry.digest, true);
            }
            // Flink may run as another user.
            if (!part.setReadable(true, false)) {
                throw failed(entry, "could not make " + part + " readable", false);
            }
            Files.move(
                    part.toPath(), target.toPath(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException problem) {
            throw failed(entry, "could not write " + target + ": " + reason(problem), false);
        }
    }

    private static String digest(File file) throws IOException {
        MessageDigest sha256;
        try {
            sha256 = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException problem) {
            throw new IllegalStateException("every Java has SHA-256", problem);
        }
        byte[] buffer = new byte[1 << 16];
        try (InputStream in = new FileInputStream(file)) {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                sha256.update(buffer, 0, read);
            }
        } catch (FileNotFoundException missing) {
            return "";
        }
        StringBuilder hex = new StringBuilder();
        for (byte one : sha256.digest()) {
            hex.append(String.format("%02x", one));
        }
        return hex.toString();
    }

    private static void remove(Entry entry, File part) throws Failure {
        try {
            Files.deleteIfExists(part.toPath());
        } catch (IOException problem) {
            throw failed(entry, "could not remove " + part + ": " + reason(problem), false);
        }
    }

    private static Failure failed(Entry entry, String why, boolean mayPass) {
        return new Failure("could not fetch " + entry.path + " from " + entry.place() + ": " + why, mayPass);
    }

    /** Some of Java's messages are only the name of what they are about, and none may show a signature. */
    private static String reason(IOException problem) {
        String message = problem.getMessage();
        String kind = problem.getClass().getSimpleName();
        return message == null || message.indexOf('?') >= 0 ? kind : kind + ": " + message;
    }

    private static final class Entry {
        final String digest;
        final long size;
        final String path;
        final String url;

        private Entry(String digest, long size, String path, String url) {
            this.digest = digest;
            this.size = size;
            this.path = path;
            this.url = url;
        }

        static Entry parse(String line) throws Failure {
            String[] parts = line.split("\t", -1);
            boolean isWhole = parts.length == 4 && parts[0].matches("[0-9a-f]{64}") && parts[1].matches("[0-9]{1,18}");
            if (!isWhole || !isInside(parts[2])) {
                throw new Failure("the list of files has a line that is none: it was not written by this Flumen", false);
            }
            return new Entry(parts[0], Long.parseLong(parts[1]), parts[2], parts[3]);
        }

        private static boolean isInside(String path) {
            for (String part : path.split("/", -1)) {
                if (part.isEmpty() || part.equals(".") || part.equals("..")) {
                    return false;
                }
            }
            return true;
        }

        /** The URL without what opens it. */
        String place() {
            int query = url.indexOf('?');
            String plain = query < 0 ? url : url.substring(0, query);
            int user = plain.indexOf('@');
            int host = plain.indexOf("://");
            return user < 0 || host < 0 ? plain : plain.substring(0, host + 3) + plain.substring(user + 1);
        }
    }

    private static final class Failure extends Exception {
        private static final long serialVersionUID = 1L;
        final boolean mayPass;

        Failure(String message, boolean mayPass) {
            super(message);
            this.mayPass = mayPass;
        }
    }
}
