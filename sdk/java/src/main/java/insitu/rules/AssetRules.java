package insitu.rules;

import insitu.Violation;
import insitu.domain.Algorithm;
import insitu.domain.Ddo;
import insitu.domain.FileNames;
import insitu.internal.Bytes;
import insitu.internal.Place;
import insitu.json.JsonNull;
import insitu.json.JsonNumber;
import insitu.json.JsonObject;
import insitu.json.JsonValue;
import java.math.BigInteger;
import java.time.DateTimeException;
import java.time.LocalDateTime;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Rules of the metadata service: what every asset says about itself. */
final class AssetRules {
    private static final int MOST_FILES = 10_000;
    private static final int LONGEST_NAME = 500;
    private static final String TIME_NEEDED = "a time like 2019-04-09T19:02:11Z is needed";
    private static final Pattern TIME = Pattern.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z");

    private AssetRules() {}

    private record File(
            @Nullable Long index,
            @Nullable String name,
            @Nullable String url,
            @Nullable String contentType,
            @Nullable String checksum) {
        static File read(Place at) {
            File file = new File(
                    at.at("index").optional(Place::index),
                    at.at("name").optional(Place::text),
                    at.at("url").optional(Place::text),
                    at.at("contentType").optional(Place::text),
                    at.at("checksum").optional(Place::text));
            at.at("contentLength")
                    .optional(length -> length.value() instanceof JsonNumber ? length.integer() : length.text());
            for (String name : List.of("checksumType", "encoding", "compression")) {
                at.at(name).optional(Place::text);
            }
            return file;
        }

        boolean isHashed() {
            return Bytes.sha256Of(checksum).isPresent();
        }
    }

    private record Asset(
            @Nullable String name,
            @Nullable String type,
            @Nullable String dateCreated,
            @Nullable String datePublished,
            @Nullable String author,
            @Nullable String license,
            List<File> files) {
        static Asset read(JsonValue main, String pointer, List<Violation> refused) {
            return read(new Place(main, pointer, false, refused));
        }

        static Asset read(Place at) {
            String name = at.at("name").optional(Place::text);
            String type = at.at("type").optional(Place::text);
            String created = at.at("dateCreated").optional(Place::text);
            String published = at.at("datePublished").optional(Place::text);
            String author = at.at("author").optional(Place::text);
            String license = at.at("license").optional(Place::text);
            at.at("price").orElse(BigInteger.ZERO, Place::documentAmount);
            List<File> files = at.at("files").orElse(List.of(), list -> list.list(File::read));
            return new Asset(name, type, created, published, author, license, files);
        }
    }

    /** Returns whether each file that a {@code main} lists has its SHA-256. */
    static boolean areHashed(JsonObject main) {
        return Asset.read(Place.of(main)).files.stream().allMatch(File::isHashed);
    }

    /** Checks a service of type metadata. */
    static void check(Ddo.Service service, Checker main) {
        Asset asset = main.read(service.main(), Asset::read);
        if (asset == null) {
            return;
        }
        checkCommon(asset, service.main(), main);
        checkFiles(asset.files, main.at("files"));
        if ("algorithm".equals(asset.type)) {
            checkAlgorithm(service.main(), asset.files, main);
        }
        if ("workflow".equals(asset.type)) {
            JsonValue described = service.main().get("workflow");
            WorkflowRules.checkAsset(
                    described == null || described == JsonNull.NULL ? JsonObject.EMPTY : described,
                    main.at("workflow"));
        }
    }

    private static void checkCommon(Asset asset, JsonObject main, Checker checker) {
        checkName(asset.name, checker.at("name"));
        checkName(asset.type, checker.at("type"));
        checkName(asset.author, checker.at("author"));
        checker.at("name").require(DocumentRules.hasText(asset.name), "Required", "an asset needs a name");
        checker.at("type").require(asset.type != null, "Required", "an asset needs a type, for instance dataset");
        checker.at("author").require(asset.author != null, "Required", "an asset has an author");
        checker.at("license").require(asset.license != null, "Required", "a license, or 'No License Specified'");
        checker.at("price").require(main.get("price") != null, "Required", "an asset has a price, even if it is 0");
        checker.at("files").require(main.get("files") != null, "Required", "the list of files, which may be empty");
        requireTime(asset.dateCreated, checker.at("dateCreated"));
        checkTime(asset.datePublished, checker.at("datePublished"));
    }

    private static void checkName(@Nullable String text, Checker checker) {
        boolean isShort = text == null || text.codePointCount(0, text.length()) <= LONGEST_NAME;
        checker.require(isShort, "TooLong", "at most " + LONGEST_NAME + " characters");
    }

    /** Checks a time that may be absent. */
    static void checkTime(@Nullable String time, Checker checker) {
        if (time != null) {
            requireTime(time, checker);
        }
    }

    /** Checks a time that must be there: UTC, whole seconds, {@code Z}, of a day that exists. */
    static void requireTime(@Nullable String time, Checker checker) {
        boolean isTime = time != null && TIME.matcher(time).matches() && !time.startsWith("0000");
        if (isTime) {
            try {
                LocalDateTime.parse(time.substring(0, time.length() - 1));
            } catch (DateTimeException noSuchDay) {
                isTime = false;
            }
        }
        checker.require(isTime, "WrongFormat", TIME_NEEDED);
    }

    private static void checkFiles(List<File> files, Checker checker) {
        if (!checker.require(files.size() <= MOST_FILES, "TooMany", "at most " + MOST_FILES + " files")) {
            return;
        }
        Set<Long> seen = new HashSet<>();
        for (int position = 0; position < files.size(); position++) {
            File file = files.get(position);
            Checker at = checker.at(position);
            if (at.at("index").require(file.index != null, "Required", "a file needs an index")) {
                at.at("index").require(seen.add(file.index), "Duplicate", "two files have this index");
            }
            at.at("url").require(file.url == null, "UrlNotAllowed", "URLs belong in encryptedFiles, never in main");
            at.at("contentType").require(DocumentRules.hasText(file.contentType), "Required", "a media type is needed");
            if (file.name != null) {
                at.at("name").requireNone(FileNames.problemOf(file.name), "UnsafeName", "the name ");
            }
            boolean isHash = file.checksum == null || file.isHashed();
            at.at("checksum").require(isHash, "WrongFormat", "a SHA-256: 64 hex digits");
        }
        List<String> names =
                files.stream().map(File::name).filter(Objects::nonNull).toList();
        checker.require(
                FileNames.firstCollision(names).isEmpty(),
                "Duplicate",
                "two files have the same name, or would on some system");
    }

    private static void checkAlgorithm(JsonObject main, List<File> files, Checker checker) {
        String entrypoint = checker.read(main, AssetRules::readEntrypoint);
        if (entrypoint == null) {
            return;
        }
        checker.at("files").require(!files.isEmpty(), "Required", "an algorithm has at least one file");
        for (int position = 0; position < Math.min(files.size(), MOST_FILES); position++) {
            checker.at("files")
                    .at(position)
                    .at("checksum")
                    .require(files.get(position).isHashed(), "Required", "every file of an algorithm has a SHA-256");
        }
        Checker at = checker.at("algorithm", "entrypoint");
        List<String> words = at.attempt(() -> Algorithm.splitEntrypoint(entrypoint), "WrongFormat");
        // A file without a public name may be the script. Only the sealed list knows, so this shows at the run.
        boolean hasScript =
                files.stream().anyMatch(file -> file.name == null || file.name.equals(Algorithm.ENTRYPOINT_SCRIPT));
        boolean isStarted = words == null || !words.isEmpty() || hasScript;
        at.require(isStarted, "Required", "an entrypoint is needed, or a file " + Algorithm.ENTRYPOINT_SCRIPT);
    }

    private static String readEntrypoint(JsonValue main, String pointer, List<Violation> refused) {
        return new Place(main, pointer, false, refused).at("algorithm").orEmpty(at -> {
            for (String name : List.of("language", "format", "version")) {
                at.at(name).optional(Place::text);
            }
            String entrypoint = at.at("entrypoint").optional(Place::text);
            at.at("requirements").orEmpty(needed -> {
                needed.at("container").optional(container -> {
                    for (String name : List.of("image", "tag", "checksum")) {
                        container.at(name).optional(Place::text);
                    }
                    return container.object();
                });
                return needed.object();
            });
            return entrypoint == null ? "" : entrypoint;
        });
    }
}
