package insitu.client;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.Address;
import insitu.domain.Ddo;
import insitu.internal.Place;
import insitu.internal.http.Http;
import insitu.json.JsonObject;
import insitu.rules.DocumentRules;
import insitu.rules.Versions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads documents by DID, from the url in the registry, and proves that they are what the chain names. */
final class Resolver {
    /** A document that is what a checksum says, and the account that its DID derives from. */
    record Proved(Ddo ddo, Address creator) {}

    private static final int KEPT = 512;

    private final Provider provider;
    private final Map<String, Proved> proved = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Proved> eldest) {
            return size() > KEPT;
        }
    };

    Resolver(Provider provider) {
        this.provider = provider;
    }

    /** Returns an asset in its current version. */
    ResolvedAsset resolve(String did) throws InterruptedException {
        DidRecord record = provider.chain().record(did);
        Proved found = read(record.current());
        Versions.requireNumber(found.ddo(), record.current().version());
        return new ResolvedAsset(record, found.ddo(), found.creator());
    }

    /** Resolves an asset, and refuses one that breaks a rule, or changes more of the version before than a version may. */
    ResolvedAsset resolveAllowed(String did) throws InterruptedException {
        ResolvedAsset found = resolve(did);
        DocumentRules.validateDdo(found.ddo(), false);
        Registration before = provider.chain().before(found.record().current());
        if (before != null) {
            String template = provider.chain().contracts().template().text();
            Versions.requireAllowedChange(read(before).ddo(), found.ddo(), List.of(template));
        }
        return found;
    }

    /** Reads a registered version. */
    Proved read(Registration version) throws InterruptedException {
        return read(version.did(), version.url(), version.checksum());
    }

    /** Reads a version from a url, and proves it by its DID and checksum. */
    Proved read(String did, String url, String checksum) throws InterruptedException {
        String key = did + " " + checksum;
        synchronized (proved) {
            Proved known = proved.get(key);
            if (known != null) {
                return known;
            }
        }
        Ddo ddo = Ddo.read(document(url.replace("{did}", did), checksum));
        if (!ddo.id().equals(did)) {
            String detail = "the url of " + did + " returns another document";
            throw new InsituException(ErrorCode.ChecksumMismatch, detail);
        }
        ddo.requireChecksum(checksum);
        Proved found = new Proved(ddo, ddo.creator());
        synchronized (proved) {
            proved.put(key, found);
        }
        return found;
    }

    private JsonObject document(String url, String checksum) throws InterruptedException {
        String question = (url.contains("?") ? "&" : "?") + "checksum=" + checksum;
        try {
            return provider.http().document(Http.address(url + question), Place::object);
        } catch (InsituException refusal) {
            if (!refusal.code().equals(ErrorCode.NotFound)) {
                throw refusal;
            }
            throw new InsituException(ErrorCode.AssetNotFound, "there is no document at " + url, refusal);
        }
    }
}
