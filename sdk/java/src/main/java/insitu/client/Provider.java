package insitu.client;

import insitu.domain.Signer;
import insitu.internal.http.Http;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The servers and the account that a client is made of. */
final class Provider {
    private final Http http;
    private final String url;
    private final Signer account;
    private final Catalogue catalogue;
    private final Map<String, Gateway> gateways = new ConcurrentHashMap<>();

    Provider(Http http, String url, String catalogueUrl, Signer account) {
        this.http = http;
        this.url = url;
        this.account = account;
        this.catalogue = new Catalogue(http, catalogueUrl);
    }

    Http http() {
        return http;
    }

    Signer account() {
        return account;
    }

    Catalogue catalogue() {
        return catalogue;
    }

    /** Returns the gateway that the client is connected to. */
    Gateway gateway() {
        return gatewayAt(url);
    }

    /** Returns the gateway at an address, with its session. */
    Gateway gatewayAt(String address) {
        return gateways.computeIfAbsent(address, where -> new Gateway(http, where, new Session(http, where, account)));
    }
}
