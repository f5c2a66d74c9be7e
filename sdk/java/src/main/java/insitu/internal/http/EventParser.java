package insitu.internal.http;

import insitu.ErrorCode;
import insitu.InsituException;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads server-sent events from bytes as they arrive (WHATWG HTML); comments are heartbeats.
 *
 * <p>Lines end at line feeds only, because JSON may contain other characters that count as line ends.
 */
public final class EventParser {
    private static final int MAX_LINE = 16 * 1024 * 1024;

    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private final List<String> data = new ArrayList<>();
    private String event = "";
    private @Nullable String id;

    /** Takes the next bytes and returns the events that they complete. */
    public List<ServerEvent> feed(byte[] chunk) {
        List<ServerEvent> found = new ArrayList<>();
        for (byte unit : chunk) {
            if (unit != '\n') {
                line.write(unit);
                continue;
            }
            ServerEvent complete = readLine();
            if (complete != null) {
                found.add(complete);
            }
            line.reset();
        }
        if (line.size() > MAX_LINE) {
            throw new InsituException(ErrorCode.PeerUnavailable, "the stream has a line that never ends");
        }
        return found;
    }

    private @Nullable ServerEvent readLine() {
        String text = line.toString(StandardCharsets.UTF_8);
        String whole = text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
        if (whole.isEmpty()) {
            return dispatch();
        }
        int colon = whole.indexOf(':');
        String value = colon < 0 ? "" : whole.substring(colon + 1);
        value = value.startsWith(" ") ? value.substring(1) : value;
        switch (colon < 0 ? whole : whole.substring(0, colon)) {
            case "event" -> event = value;
            case "data" -> data.add(value);
            case "id" -> id = value.indexOf('\0') < 0 ? value : id;
            default -> {
                // A comment, or a field that nobody knows.
            }
        }
        return null;
    }

    private @Nullable ServerEvent dispatch() {
        ServerEvent complete = data.isEmpty()
                ? null
                : new ServerEvent(event.isEmpty() ? "message" : event, String.join("\n", data), id);
        event = "";
        data.clear();
        return complete;
    }
}
