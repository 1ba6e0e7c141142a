package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/client-go/util/exec"
)

const serves = `
import socketserver
class Answer(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line.upper())
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
with Server(("127.0.0.1", 7000), Answer) as server:
    print("up", flush=True)
    server.serve_forever()
`

var streams = []check{
	{"logs are followed", followLogs},
	{"exec over WebSocket", func(ctx context.Context, c *cluster) error { return c.executes(ctx, webSocket) }},
	{"exec over SPDY", func(ctx context.Context, c *cluster) error { return c.executes(ctx, overSPDY) }},
	{"port-forward over WebSocket", func(ctx context.Context, c *cluster) error { return c.forwards(ctx, true) }},
	{"port-forward over SPDY", func(ctx context.Context, c *cluster) error { return c.forwards(ctx, false) }},
}

func followLogs(ctx context.Context, c *cluster) error {
	second := int64(1)
	pod := &core.Pod{
		ObjectMeta: meta.ObjectMeta{Name: "serves"},
		Spec: core.PodSpec{
			TerminationGracePeriodSeconds: &second,
			Containers:                    []core.Container{{Name: "main", Image: c.image, Command: []string{"python3", "-c", serves}}},
		},
	}
	pods := c.client.CoreV1().Pods(c.namespace)
	if _, err := pods.Create(ctx, pod, meta.CreateOptions{}); err != nil {
		return err
	}
	running := func() bool {
		found, err := pods.Get(ctx, "serves", meta.GetOptions{})
		return err == nil && found.Status.Phase == core.PodRunning
	}
	if err := until(ctx, "a running pod", running); err != nil {
		return err
	}
	log, err := pods.GetLogs("serves", &core.PodLogOptions{Follow: true}).Stream(ctx)
	if err != nil {
		return err
	}
	defer log.Close()
	line, err := bufio.NewReader(log).ReadString('\n')
	if err != nil {
		return err
	}
	return expect(line, "up\n")
}

type executor func(c *cluster, address *url.URL) (remotecommand.Executor, error)

func webSocket(c *cluster, address *url.URL) (remotecommand.Executor, error) {
	return remotecommand.NewWebSocketExecutor(c.config, http.MethodGet, address.String())
}

func overSPDY(c *cluster, address *url.URL) (remotecommand.Executor, error) {
	return remotecommand.NewSPDYExecutor(c.config, http.MethodPost, address)
}

// execute runs a command and answers with what it wrote and how it ended.
func (c *cluster) execute(ctx context.Context, by executor, input io.Reader, command ...string) (string, string, error) {
	address := c.client.CoreV1().RESTClient().Post().Resource("pods").Namespace(c.namespace).Name("serves").
		SubResource("exec").VersionedParams(&core.PodExecOptions{
		Command: command, Stdin: input != nil, Stdout: true, Stderr: true,
	}, scheme.ParameterCodec).URL()
	executor, err := by(c, address)
	if err != nil {
		return "", "", err
	}
	var out, wrong bytes.Buffer
	err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: input, Stdout: &out, Stderr: &wrong})
	return out.String(), wrong.String(), err
}

func (c *cluster) executes(ctx context.Context, by executor) error {
	out, wrong, err := c.execute(ctx, by, nil, "sh", "-c", "echo out; echo wrong >&2; exit 7")
	exit, ok := err.(exec.CodeExitError)
	if !ok {
		return fmt.Errorf("expected an exit code, got %w", err)
	}
	if err := expect([]any{out, wrong, exit.Code}, []any{"out\n", "wrong\n", 7}); err != nil {
		return err
	}
	large := make([]byte, 1<<20)
	if _, err := rand.Read(large); err != nil {
		return err
	}
	out, _, err = c.execute(ctx, by, bytes.NewReader(large), "cat")
	if err != nil {
		return err
	}
	return expect(out == string(large), true)
}

func (c *cluster) dialer(address *url.URL, overWebSocket bool) (httpstream.Dialer, error) {
	if overWebSocket {
		return portforward.NewSPDYOverWebsocketDialer(address, c.config)
	}
	transport, upgrader, err := spdy.RoundTripperFor(c.config)
	if err != nil {
		return nil, err
	}
	return spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, address), nil
}

func (c *cluster) forwards(ctx context.Context, overWebSocket bool) error {
	address := c.client.CoreV1().RESTClient().Post().Resource("pods").Namespace(c.namespace).Name("serves").SubResource("portforward").URL()
	dialer, err := c.dialer(address, overWebSocket)
	if err != nil {
		return err
	}
	stop, ready, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	forwarder, err := portforward.New(dialer, []string{"0:7000"}, stop, ready, io.Discard, io.Discard)
	if err != nil {
		return err
	}
	go func() { ended <- forwarder.ForwardPorts() }()
	defer close(stop)
	select {
	case <-ready:
	case err := <-ended:
		return err
	case <-ctx.Done():
		return fmt.Errorf("expected a forwarded port, got none")
	}
	ports, err := forwarder.GetPorts()
	if err != nil {
		return err
	}
	for number := range 5 {
		connection, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", ports[0].Local))
		if err != nil {
			return err
		}
		said := fmt.Sprintf("hello %d\n", number)
		if _, err := io.WriteString(connection, said); err != nil {
			return err
		}
		answer, err := bufio.NewReader(connection).ReadString('\n')
		connection.Close()
		if err != nil {
			return err
		}
		if err := expect(answer, strings.ToUpper(said)); err != nil {
			return err
		}
	}
	return nil
}
