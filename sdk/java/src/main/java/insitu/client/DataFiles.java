package insitu.client;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.FileNames;
import insitu.internal.Bytes;
import insitu.internal.Hashes;
import insitu.json.Json;
import insitu.json.JsonObject;
import insitu.rules.MediaTypes;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Files as a publisher names them. */
public final class DataFiles {
    // A letter alone is a drive.
    private static final Pattern URL = Pattern.compile("[a-zA-Z][a-zA-Z0-9+.-]+:.*");

    private DataFiles() {}

    /**
     * Describes a file of a data set, as {@code main.files} has it. A path becomes a {@code file:} url, which the provider opens
     * where it is; of a file that is on this machine the length is said too.
     *
     * @param urlOrPath where the provider finds it
     * @param isPinned whether executions read exactly these bytes: then the SHA-256 of a file of this machine is said
     * @throws InsituException {@code FileUnusable} if it is here and cannot be read
     */
    public static JsonObject describe(String urlOrPath, boolean isPinned) {
        boolean isUrl = URL.matcher(urlOrPath).matches();
        Path path = isUrl ? Path.of("") : Path.of(urlOrPath).toAbsolutePath().normalize();
        String named = isUrl ? String.valueOf(URI.create(urlOrPath).getPath()) : path.toString();
        String name = named.substring(Math.max(named.lastIndexOf('/'), named.lastIndexOf('\\')) + 1);
        Map<String, Object> described = new LinkedHashMap<>();
        described.put("url", isUrl ? urlOrPath : "file://" + path.toUri().getRawPath());
        described.put("contentType", MediaTypes.mediaType(name));
        if (!name.isEmpty()) {
            described.put("name", name);
        }
        if (!isUrl && Files.isRegularFile(path)) {
            try {
                described.put("contentLength", Long.toString(Files.size(path)));
                if (isPinned) {
                    described.put("checksum", digest(path));
                    described.put("checksumType", "sha256");
                }
            } catch (IOException cause) {
                throw unusable(path, cause);
            }
        }
        return Json.objectOf(described);
    }

    /**
     * Reads the files of an algorithm, each with its name: one script, or all files of a folder.
     *
     * @throws InsituException {@code FileMissing}, {@code FileUnusable}, {@code InvalidDocument} for a name that is not safe
     */
    public static Map<String, byte[]> contents(Path scriptOrFolder) {
        if (!Files.exists(scriptOrFolder)) {
            throw new InsituException(ErrorCode.FileMissing, "there is no file " + scriptOrFolder);
        }
        Path root = Files.isDirectory(scriptOrFolder)
                ? scriptOrFolder
                : scriptOrFolder.toAbsolutePath().getParent();
        try (Stream<Path> files =
                Files.walk(Files.isDirectory(scriptOrFolder) ? root : scriptOrFolder.toAbsolutePath())) {
            Map<String, byte[]> contents = new LinkedHashMap<>();
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                List<String> parts = Stream.iterate(0, at -> at + 1)
                        .limit(root.relativize(file).getNameCount())
                        .map(at -> root.relativize(file).getName(at).toString())
                        .toList();
                if (!parts.contains("__pycache__")) {
                    contents.put(safe(String.join("/", parts)), Files.readAllBytes(file));
                }
            }
            return contents;
        } catch (IOException | UncheckedIOException cause) {
            throw unusable(scriptOrFolder, cause);
        }
    }

    private static String safe(String name) {
        FileNames.problemOf(name).ifPresent(problem -> {
            throw new InsituException(
                    ErrorCode.InvalidDocument, "the name " + Json.text(Json.of(name)) + " " + problem);
        });
        return name;
    }

    private static String digest(Path path) throws IOException {
        MessageDigest hash = Hashes.sha256();
        try (InputStream file = new DigestInputStream(Files.newInputStream(path), hash)) {
            file.transferTo(OutputStream.nullOutputStream());
        }
        return Bytes.digits(hash.digest());
    }

    private static InsituException unusable(Path path, Exception cause) {
        return new InsituException(ErrorCode.FileUnusable, path + " cannot be read", cause);
    }
}
