package insitu.rules;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.Ddo;
import insitu.domain.Did;
import insitu.json.Json;
import insitu.json.JsonArray;
import insitu.json.JsonBoolean;
import insitu.json.JsonNull;
import insitu.json.JsonNumber;
import insitu.json.JsonObject;
import insitu.json.JsonString;
import insitu.json.JsonValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The rules that every document of an asset keeps, so that an author sees all problems before signing. */
public final class DocumentRules {
    private static final int MOST_SERVICES = 100;
    private static final int MOST_KEYS = 20;
    private static final int LONGEST_URL = 2048;
    // Enough for 10,000 files with their sealed list.
    private static final int MOST_BYTES = 8 * 1024 * 1024;
    private static final int MOST_PORT = 65_535;
    private static final Pattern HTTP_URL = Pattern.compile(
            "https?://(?:[a-z0-9._~-]+|\\[[0-9a-f:.]+\\])(?::([0-9]{1,5}))?(?:[/?#][!-~]*)?", Pattern.CASE_INSENSITIVE);

    private DocumentRules() {}

    /**
     * Refuses a document that breaks a rule of the specification. Only form and meaning are judged here;
     * {@link Ddo#creator}, {@link Ddo#requireChecksum} and {@link Ddo#signed} judge who made it.
     *
     * @param withoutCompute the publisher wants a data set that nobody can compute on
     * @throws InsituException {@code InvalidDocument} with a pointer and a code for each problem; if all break one rule
     *     that is in the error table ({@code StageOrder}, {@code NoComputeService} …), the error has that code instead
     */
    public static void validateDdo(Ddo ddo, boolean withoutCompute) {
        Checker checker = new Checker("");
        checkDdo(ddo, checker, withoutCompute);
        checker.throwIfAny();
        requireSize(ddo);
    }

    /** Refuses a document that is published now, and must not use what only older documents may; as {@link #validateDdo}. */
    public static void validateNewDdo(Ddo ddo, boolean withoutCompute) {
        Checker checker = new Checker("");
        checkDdo(ddo, checker, withoutCompute);
        checker.throwIfAny();
        boolean isHashed = AssetRules.areHashed(ddo.main());
        for (int position = 0; position < ddo.services().size(); position++) {
            if ("compute".equals(ddo.services().get(position).type())) {
                Checker at = checker.at("service").at(position);
                ComputeRules.checkNew(ddo.services().get(position), isHashed, at);
            }
        }
        checker.throwIfAny();
        requireSize(ddo);
    }

    // Last, because it is expensive: a document with thousands of stages is refused for their number.
    private static void requireSize(Ddo ddo) {
        int size = Json.canonical(ddo.json()).length;
        if (size > MOST_BYTES) {
            String detail = size + " bytes, but at most " + MOST_BYTES + " are read";
            throw new InsituException(ErrorCode.InvalidDocument, detail, "");
        }
    }

    private static void checkDdo(Ddo ddo, Checker checker, boolean withoutCompute) {
        JsonValue named = ddo.json().get("@context");
        JsonValue context = named == null ? ddo.json().get("context") : named;
        checker.at("@context").require(!isEmpty(context), "Required", "the JSON-LD context is needed");
        checker.at("id").require(Did.isDid(ddo.id()), "InvalidDid", expectedDid(ddo.id()));
        AssetRules.requireTime(ddo.created(), checker.at("created"));
        AssetRules.checkTime(ddo.updated(), checker.at("updated"));
        checkKeys(ddo.keys(), checker.at("publicKey"));
        checkProof(ddo, checker.at("proof"));
        Checker services = checker.at("service");
        boolean areFew = ddo.services().size() <= MOST_SERVICES;
        if (!services.require(areFew, "TooMany", "at most " + MOST_SERVICES + " services")) {
            return;
        }
        services.require(count(ddo, "metadata") == 1, "Required", "exactly one metadata service");
        List<@Nullable Long> earlier = new ArrayList<>();
        for (Ddo.Service service : ddo.services()) {
            checkService(service, earlier, ddo.id(), services.at(earlier.size()));
            earlier.add(service.index());
        }
        boolean needsCompute = ddo.assetType().equals("dataset") && !withoutCompute;
        services.require(
                !needsCompute || count(ddo, "compute") > 0,
                ErrorCode.NoComputeService,
                "the data set offers no compute service");
    }

    private static long count(Ddo ddo, String type) {
        return ddo.services().stream()
                .filter(service -> type.equals(service.type()))
                .count();
    }

    private static String expectedDid(String text) {
        String wanted = "did:nv: and 64 lower-case hex digits";
        return text.startsWith("did:op:")
                ? wanted + "; did:op: is the older method, of Ocean Protocol: publish it again to get a current DID"
                : wanted;
    }

    private static void checkKeys(List<Ddo.PublicKey> keys, Checker checker) {
        boolean hasSome = !keys.isEmpty() && keys.size() <= MOST_KEYS;
        checker.require(hasSome, "Required", "the publisher's public key is needed; at most " + MOST_KEYS);
        for (int position = 0; position < Math.min(keys.size(), MOST_KEYS); position++) {
            Ddo.PublicKey key = keys.get(position);
            ComputeRules.checkAddress(key.owner(), checker.at(position).at("owner"));
            checker.at(position).at("type").require(hasText(key.type()), "Required", "the type of the key is needed");
        }
    }

    private static void checkProof(Ddo ddo, Checker checker) {
        Ddo.Proof proof = ddo.proof();
        if (proof == null) {
            checker.report("Required", "the publisher's proof is needed");
            return;
        }
        checker.at("type").require(hasText(proof.type()), "Required", "the type of the proof is needed");
        AssetRules.requireTime(proof.created(), checker.at("created"));
        ComputeRules.checkAddress(proof.creator(), checker.at("creator"));
        Set<String> stated =
                proof.checksum() == null ? Set.of() : proof.checksum().keySet();
        Set<String> expected = new TreeSet<>();
        for (Ddo.Service service : ddo.services()) {
            if (service.index() != null) {
                expected.add(service.index().toString());
            }
        }
        checker.at("checksum")
                .require(stated.equals(expected), "Required", "one checksum per service index, and no other");
    }

    private static void checkService(Ddo.Service service, List<@Nullable Long> earlier, String did, Checker checker) {
        if (isEmpty(service.json())) {
            checker.report("EmptyService", "a service without any member");
            return;
        }
        WorkflowRules.checkIndex(service.index(), earlier, checker.at("index"));
        checker.at("type").require(hasText(service.type()), "Required", "a service needs a type");
        boolean isUrl = isHttpUrl(service.endpoint() == null ? "" : service.endpoint());
        checker.at("serviceEndpoint").require(isUrl, "WrongFormat", "an absolute http or https URL is needed");
        Checker main = checker.at("attributes", "main");
        main.require(!isEmpty(service.main()), "Required", "a service needs attributes.main");
        boolean hasDid = Did.isDid(did) && Json.text(service.main()).contains(did);
        main.require(!hasDid, "DidInMain", "main cannot contain the DID, which is derived from it");
        if ("metadata".equals(service.type())) {
            AssetRules.check(service, main);
        }
        if ("compute".equals(service.type())) {
            ComputeRules.check(service, main);
        }
    }

    /** Returns whether a text is an absolute URL of ASCII with http or https and a host, without user, password or blanks. */
    public static boolean isHttpUrl(String text) {
        Matcher url = HTTP_URL.matcher(text);
        if (text.length() > LONGEST_URL || !url.matches()) {
            return false;
        }
        int port = url.group(1) == null ? 1 : Integer.parseInt(url.group(1));
        return port > 0 && port <= MOST_PORT;
    }

    static boolean hasText(@Nullable String text) {
        return text != null && !text.isEmpty();
    }

    // Whether a value says nothing: null, false, 0, or something without members, items or characters.
    private static boolean isEmpty(@Nullable JsonValue value) {
        return value == null
                || value == JsonNull.NULL
                || (value instanceof JsonObject object && object.members().isEmpty())
                || (value instanceof JsonArray array && array.items().isEmpty())
                || (value instanceof JsonString text && text.value().isEmpty())
                || (value instanceof JsonNumber number && number.value() == 0)
                || (value instanceof JsonBoolean flag && !flag.value());
    }
}
