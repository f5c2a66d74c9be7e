package insitu.client;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.FileDigest;
import insitu.domain.FileNames;
import insitu.internal.Bytes;
import insitu.internal.Hashes;
import insitu.internal.Place;
import insitu.internal.http.Body;
import insitu.json.Json;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Saves a result: only inside the folder, without overwriting, each file completely or not at all. */
final class Download {
    private static final Pattern CHECKSUM = Pattern.compile("(?:sha256:)?(?:0x)?[0-9a-fA-F]{64}");

    private record Promised(long index, FileDigest digest) {}

    private record Result(String did, List<Promised> files) {}

    private final Gateway gateway;
    private final Path folder;

    Download(Gateway gateway, Path folder) {
        this.gateway = gateway;
        this.folder = folder;
    }

    List<ResultFile> save(String path) throws InterruptedException {
        try {
            requireEmpty();
            Result result = gateway.get(path, Download::read);
            requireSafe(result.files());
            Files.createDirectories(folder);
            Path part = Files.createTempFile(folder, ".insitu-", ".part");
            try {
                List<ResultFile> saved = new ArrayList<>();
                for (Promised file : result.files()) {
                    saved.add(save(result.did(), file, part));
                }
                return List.copyOf(saved);
            } finally {
                Files.deleteIfExists(part);
            }
        } catch (IOException cause) {
            throw new InsituException(ErrorCode.StorageFailed, folder + " cannot be written", cause);
        }
    }

    private void requireEmpty() throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            if (entries.iterator().hasNext()) {
                throw new InsituException(ErrorCode.FolderNotEmpty, folder + " is not empty");
            }
        }
    }

    private static Result read(Place at) {
        return new Result(
                at.at("did").matching(Pattern.compile("did:nv:[0-9a-f]{64}"), "a DID"),
                at.at("files")
                        .list(file -> new Promised(
                                file.at("index").count(),
                                new FileDigest(
                                        file.at("name").text(),
                                        Bytes.plainDigits(file.at("checksum")
                                                .matching(CHECKSUM, "a SHA-256")
                                                .replaceFirst("^sha256:", "")),
                                        file.at("contentLength").count()))));
    }

    private static void requireSafe(List<Promised> files) {
        List<String> names = files.stream().map(file -> file.digest().name()).toList();
        for (String name : names) {
            Optional<String> problem = FileNames.problemOf(name);
            if (problem.isPresent()) {
                throw unsafe("the name " + Json.text(Json.of(name)) + " " + problem.get());
            }
        }
        List<String> same = FileNames.firstCollision(names);
        if (!same.isEmpty()) {
            throw unsafe(same.get(0) + " and " + same.get(1) + " are the same file on some system");
        }
    }

    private ResultFile save(String did, Promised file, Path part) throws IOException, InterruptedException {
        receive("/download/" + did + "/" + file.index(), file.digest(), part);
        Path target = folder.resolve(file.digest().name());
        Files.createDirectories(target.getParent());
        Files.createLink(target, part); // fails if something is there
        Files.delete(part);
        return new ResultFile(file.digest(), target);
    }

    private void receive(String path, FileDigest promised, Path part) throws IOException, InterruptedException {
        MessageDigest hash = Hashes.sha256();
        long left = promised.size();
        try (Body body = gateway.file(path);
                OutputStream out = Files.newOutputStream(
                        part,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE)) {
            for (byte[] piece = body.next(); piece != null && left >= 0; piece = body.next()) {
                left -= piece.length;
                hash.update(piece);
                out.write(piece);
            }
        }
        if (left != 0 || !Bytes.digits(hash.digest()).equals(promised.sha256())) {
            throw new InsituException(ErrorCode.ChecksumMismatch, promised.name() + " differs from the published file");
        }
    }

    private static InsituException unsafe(String detail) {
        return new InsituException(ErrorCode.InvalidDocument, detail);
    }
}
