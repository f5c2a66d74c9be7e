package insitu.vectors;

import static insitu.vectors.Vector.refuses;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.FileNames;
import insitu.http.ScriptedServer;
import insitu.internal.Bytes;
import insitu.internal.Hashes;
import insitu.internal.Place;
import insitu.internal.http.Bounds;
import insitu.internal.http.EventFollower;
import insitu.internal.http.EventParser;
import insitu.internal.http.Http;
import insitu.internal.http.Http.Call;
import insitu.internal.http.ServerEvent;
import insitu.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

final class StreamVectorsTest {
    private static final String LONE = "\\ud800";

    @TestFactory
    Stream<DynamicTest> eventsHoweverTheirBytesArrive() {
        return Vector.each(stream().at("streams"), one -> one.at("name").text(), one -> {
            byte[] raw = Bytes.utf8(one.at("bytes").text());
            for (int size : new int[] {1, 2, 3, 7, 10_000}) {
                EventParser parser = new EventParser();
                List<ServerEvent> found = new ArrayList<>();
                for (int at = 0; at < raw.length; at += size) {
                    found.addAll(parser.feed(Arrays.copyOfRange(raw, at, Math.min(raw.length, at + size))));
                }
                assertEquals(one.at("events").list(StreamVectorsTest::event), found);
            }
        });
    }

    @Test
    void aStreamThatBreaksIsResumedBehindTheLastId() throws IOException, InterruptedException {
        Place resumed = stream().at("resumed");
        List<String> expected = new ArrayList<>();
        for (Place connection : Vector.items(resumed.at("connections"))) {
            boolean fresh = connection.at("freshToken").orElse(false, Place::flag);
            expected.add(connection.at("lastEventId").optional(Place::text) + " " + fresh);
        }
        ScriptedServer.Script[] scripts = resumed.at("connections")
                .list(one -> ScriptedServer.stream(one.at("bytes").text(), false))
                .toArray(ScriptedServer.Script[]::new);
        List<String> asked = new ArrayList<>();
        List<ServerEvent> found = new ArrayList<>();
        try (ScriptedServer server = new ScriptedServer(scripts);
                Http http = new Http(Bounds.DEFAULT);
                EventFollower follower = new EventFollower(
                        (lastId, fresh) -> {
                            asked.add(lastId + " " + fresh);
                            return http.open(Call.get(server.address(), Map.of()));
                        },
                        null,
                        length -> {})) {
            for (ServerEvent event = follower.next(); event != null; event = follower.next()) {
                found.add(event);
            }
        }
        assertEquals(resumed.at("events").list(StreamVectorsTest::event), found);
        assertEquals(expected, asked);
    }

    @Test
    void aServerThatStaysAwayIsLeftAfterSomeAttempts() throws IOException {
        int[] attempts = {0};
        try (EventFollower follower = new EventFollower(
                (lastId, fresh) -> {
                    attempts[0]++;
                    throw new InsituException(ErrorCode.PeerUnavailable, "nobody is there");
                },
                null,
                length -> {})) {
            refuses(ErrorCode.PeerUnavailable, follower::next);
        }
        assertEquals(9, attempts[0]);
    }

    @Test
    void aLineThatNeverEndsIsRefused() {
        EventParser parser = new EventParser();
        byte[] chunk = new byte[1024 * 1024];
        Arrays.fill(chunk, (byte) 'a');
        refuses(ErrorCode.PeerUnavailable, () -> {
            for (int fed = 0; fed < 20; fed++) {
                parser.feed(chunk);
            }
        });
    }

    @TestFactory
    Stream<DynamicTest> safePaths() {
        return Vector.each(
                names().at("safePaths"),
                Place::text,
                one -> assertTrue(FileNames.problemOf(one.text()).isEmpty()));
    }

    @TestFactory
    Stream<DynamicTest> unsafePaths() {
        return Vector.each(
                names().at("unsafePaths"),
                one -> one.pointer(),
                one -> assertTrue(
                        FileNames.problemOf(one.text().replace('@', '\ud800')).isPresent()));
    }

    @TestFactory
    Stream<DynamicTest> pathsThatAreOneFileOnSomeSystem() {
        return Vector.each(names().at("collidingPaths"), one -> one.pointer(), one -> {
            List<String> paths = one.list(Place::text);
            assertEquals(paths, FileNames.firstCollision(paths));
        });
    }

    @Test
    void filesThatDifferDoNotCollide() {
        assertEquals(List.of(), FileNames.firstCollision(List.of("a/b", "a/c", "b", "ς/1", "σ/2")));
    }

    @Test
    void aNameMayHaveTheCharactersOfUnicode14AndNoOthers() {
        StringBuilder accepted = new StringBuilder();
        int count = 0;
        for (int point = 0; point <= Character.MAX_CODE_POINT; point++) {
            boolean isSurrogate = point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE;
            if (!isSurrogate
                    && FileNames.problemOf("x" + Character.toString(point) + "x")
                            .isEmpty()) {
                accepted.appendCodePoint(point);
                count++;
            }
        }
        Place characters = names().at("characters");
        assertEquals(characters.at("accepted").count(), count);
        assertEquals(characters.at("sha256").text(), Bytes.digits(Hashes.sha256(Bytes.utf8(accepted.toString()))));
    }

    private static ServerEvent event(Place at) {
        return new ServerEvent(
                at.at("event").text(), at.at("data").text(), at.at("id").optional(Place::text));
    }

    private static Place stream() {
        return Vector.read("event-stream", "streams", "resumed");
    }

    /**
     * A lone surrogate cannot be read as JSON here, so one that the vector has is written as {@code @} and put back. What a
     * provider refuses to deliver or leaves out is not judged by clients.
     */
    private static Place names() {
        String text = new String(Vector.bytes("file-names"), StandardCharsets.UTF_8);
        return Place.of(Json.read(text.replace(LONE, "@")));
    }
}
