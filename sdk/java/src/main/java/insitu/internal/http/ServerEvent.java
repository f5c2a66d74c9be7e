package insitu.internal.http;

import org.jspecify.annotations.Nullable;

/** One server-sent event; its id resumes the stream behind it. */
public record ServerEvent(
        String event, String data, @Nullable String id) {}
