package clients;

import static clients.Checks.expect;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.client.LocalPortForward;
import io.fabric8.kubernetes.client.dsl.ExecWatch;
import io.fabric8.kubernetes.client.dsl.LogWatch;
import io.fabric8.kubernetes.client.dsl.PodResource;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** Logs, commands, files and ports of pods. */
final class PodChecks {
    private static final String SERVES = String.join("\n",
            "import socketserver",
            "class Answer(socketserver.StreamRequestHandler):",
            "    def handle(self):",
            "        for line in self.rfile:",
            "            self.wfile.write(line.upper())",
            "class Server(socketserver.ThreadingTCPServer):",
            "    allow_reuse_address = True",
            "    daemon_threads = True",
            "with Server((\"127.0.0.1\", 7000), Answer) as server:",
            "    print(\"up\", flush=True)",
            "    server.serve_forever()");

    private final Checks checks;

    PodChecks(Checks checks) {
        this.checks = checks;
    }

    private PodResource pod(String name) {
        return checks.client.pods().inNamespace(checks.namespace).withName(name);
    }

    private void create(String name, String... command) {
        Pod made = new PodBuilder().withNewMetadata().withName(name).endMetadata().withNewSpec().withRestartPolicy("Never")
                .withTerminationGracePeriodSeconds(1L).addNewContainer().withName("main").withImage(checks.image)
                .withCommand(command).endContainer().endSpec().build();
        checks.client.pods().inNamespace(checks.namespace).resource(made).create();
    }

    void add() {
        checks.add("log, and its last line", () -> {
            create("talks", "sh", "-c", "echo one; echo two");
            pod("talks").waitUntilCondition(pod -> pod != null && "Succeeded".equals(pod.getStatus().getPhase()),
                    Checks.PATIENCE, TimeUnit.SECONDS);
            expect(pod("talks").getLog(), "one\ntwo\n");
            expect(pod("talks").tailingLines(1).getLog(), "two\n");
        });
        checks.add("log is followed to the end of its container", this::followed);
        checks.add("exec keeps output and errors apart, and passes the exit code on", this::executed);
        checks.add("exec with input", this::conversation);
        checks.add("exec with much output", this::large);
        checks.add("port-forward", this::forwarded);
        checks.add("delete waits for the end", () -> {
            pod("serves").delete();
            pod("serves").waitUntilCondition(pod -> pod == null, Checks.PATIENCE, TimeUnit.SECONDS);
        });
    }

    private void followed() throws Exception {
        create("follows", "sh", "-c", "echo first; while [ ! -e /tmp/go ]; do sleep 0.1; done; echo last");
        pod("follows").waitUntilReady(Checks.PATIENCE, TimeUnit.SECONDS);
        try (LogWatch log = pod("follows").watchLog(); BufferedReader lines = reader(log.getOutput())) {
            expect(lines.readLine(), "first");
            try (ExecWatch go = pod("follows").redirectingOutput().exec("touch", "/tmp/go")) {
                expect(go.exitCode().get(Checks.PATIENCE, TimeUnit.SECONDS), 0);
            }
            expect(lines.readLine(), "last");
            expect(lines.readLine(), null);
        }
    }

    private static BufferedReader reader(java.io.InputStream input) {
        return new BufferedReader(new InputStreamReader(input, StandardCharsets.UTF_8));
    }

    private void executed() throws Exception {
        create("serves", "python3", "-c", SERVES);
        pod("serves").waitUntilReady(Checks.PATIENCE, TimeUnit.SECONDS);
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        ByteArrayOutputStream errors = new ByteArrayOutputStream();
        try (ExecWatch command = pod("serves").writingOutput(output).writingError(errors)
                .exec("sh", "-c", "echo out; echo wrong >&2; exit 7")) {
            int code = command.exitCode().get(Checks.PATIENCE, TimeUnit.SECONDS);
            expect(output + "|" + errors + "|" + code, "out\n|wrong\n|7");
        }
    }

    private void conversation() throws Exception {
        try (ExecWatch command = pod("serves").redirectingInput().redirectingOutput()
                .exec("sh", "-c", "while read line; do echo got $line; [ $line != end ] || exit 0; done");
                BufferedReader lines = reader(command.getOutput())) {
            for (String word : new String[] {"word", "end"}) {
                command.getInput().write((word + "\n").getBytes(StandardCharsets.UTF_8));
                command.getInput().flush();
                expect(lines.readLine(), "got " + word);
            }
            expect(command.exitCode().get(Checks.PATIENCE, TimeUnit.SECONDS), 0);
        }
    }

    private void large() throws Exception {
        try (ExecWatch command = pod("serves").redirectingOutput().exec("head", "-c", "500000", "/dev/zero")) {
            expect(command.getOutput().readAllBytes().length, 500_000);
        }
    }

    private void forwarded() throws IOException {
        try (LocalPortForward forward = pod("serves").portForward(7000)) {
            for (int number = 0; number < 3; number++) {
                try (Socket socket = new Socket(forward.getLocalAddress(), forward.getLocalPort())) {
                    socket.setSoTimeout(Checks.PATIENCE * 1000);
                    socket.getOutputStream().write(("hello " + number + "\n").getBytes(StandardCharsets.UTF_8));
                    expect(reader(socket.getInputStream()).readLine(), "HELLO " + number);
                }
            }
        }
    }
}
