package insitu.http;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** A server that says what a test wrote, one script for each connection, and then closes it or falls silent. */
public class ScriptedServer implements AutoCloseable {
    /** What it says in a connection: raw bytes, and whether it then says nothing more without closing. */
    public record Script(String bytes, boolean staysSilent) {}

    /** What it was asked. */
    public record Request(String line, Map<String, String> headers) {}

    private final ServerSocket socket;
    private final List<Script> scripts;
    private final List<Socket> open = new CopyOnWriteArrayList<>();
    private final List<Request> requests = new CopyOnWriteArrayList<>();

    /** Starts it; after the last script it repeats that one. */
    public ScriptedServer(Script... scripts) throws IOException {
        this.scripts = List.of(scripts);
        this.socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread thread = new Thread(this::serve);
        thread.setDaemon(true);
        thread.start();
    }

    /** Returns an answer whose length is stated. */
    public static Script answer(int status, String body, String... headers) {
        List<String> lines = new ArrayList<>(List.of("HTTP/1.1 " + status + " X"));
        lines.addAll(List.of(headers));
        lines.add("Content-Length: " + body.getBytes(StandardCharsets.UTF_8).length);
        lines.add("Connection: close");
        return new Script(String.join("\r\n", lines) + "\r\n\r\n" + body, false);
    }

    /** Returns a stream whose end is that of the connection. */
    public static Script stream(String body, boolean staysSilent) {
        return new Script("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body, staysSilent);
    }

    /** Returns its address. */
    public URI address() {
        return URI.create("http://127.0.0.1:" + socket.getLocalPort());
    }

    /** Returns what it was asked so far. */
    public List<Request> requests() {
        return requests;
    }

    /** Is told of a question before it is answered. */
    protected void asked(Request request) {}

    private void serve() {
        while (!socket.isClosed()) {
            try {
                Socket connection = socket.accept();
                open.add(connection);
                Request request = readRequest(connection);
                requests.add(request);
                asked(request);
                Script script = scripts.get(Math.min(requests.size(), scripts.size()) - 1);
                OutputStream out = connection.getOutputStream();
                out.write(script.bytes().getBytes(StandardCharsets.UTF_8));
                out.flush();
                if (!script.staysSilent()) {
                    connection.close();
                }
            } catch (IOException gone) {
                // The client left, or the test is over.
                continue;
            }
        }
    }

    private static Request readRequest(Socket connection) throws IOException {
        BufferedReader reader =
                new BufferedReader(new InputStreamReader(connection.getInputStream(), StandardCharsets.UTF_8));
        String line = reader.readLine();
        Map<String, String> headers = new TreeMap<>();
        for (String header = reader.readLine(); header != null && !header.isEmpty(); header = reader.readLine()) {
            String[] parts = header.split(": ", 2);
            headers.put(parts[0].toLowerCase(Locale.ROOT), parts.length > 1 ? parts[1] : "");
        }
        int length = Integer.parseInt(headers.getOrDefault("content-length", "0"));
        for (int read = 0; read < length; read++) {
            reader.read();
        }
        return new Request(line, headers);
    }

    @Override
    public void close() throws IOException {
        socket.close();
        for (Socket connection : open) {
            connection.close();
        }
    }
}
