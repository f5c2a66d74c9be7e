package insitu.client;

import insitu.domain.Signer;
import insitu.internal.http.Bounds;
import insitu.internal.http.Http;
import java.time.Duration;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Connects to a provider. */
public final class Insitu {
    private Insitu() {}

    /**
     * Returns a client of a gateway for an account. Nothing is called or signed yet.
     *
     * @param url of the gateway, such as {@code http://127.0.0.1:8030}; the account signs in there and nowhere else
     * @throws insitu.InsituException {@code InvalidRequest} if it is not a URL of http or https
     */
    public static Client connect(String url, Signer account) {
        return new Builder(url, account).connect();
    }

    /** Returns a builder, for more than {@link #connect} is told. */
    public static Builder at(String url, Signer account) {
        return new Builder(url, account);
    }

    /** Where the servers are, and how long they may take. */
    public static final class Builder {
        private final String url;
        private final Signer account;
        private String catalogue;
        private @Nullable String node;
        private @Nullable Deployment contracts;
        private Predicate<Deployment> confirm = unknown -> false;
        private Duration connect = Bounds.DEFAULT.connect();
        private Duration headers = Bounds.DEFAULT.headers();
        private Duration silence = Bounds.DEFAULT.silence();
        private Duration call = Bounds.DEFAULT.call();

        private Builder(String url, Signer account) {
            this.url = withoutSlash(url);
            this.catalogue = this.url;
            this.account = account;
        }

        /** Sets the address of the catalogue, if it is on another server than the gateway. */
        public Builder catalogue(String address) {
            catalogue = withoutSlash(address);
            return this;
        }

        /**
         * Sets the address of a node of the chain (JSON-RPC). Without it the gateway passes on what is read, and the account
         * cannot send transactions of its own.
         */
        public Builder node(String address) {
            node = address;
            return this;
        }

        /** Names the contracts that are trusted; a gateway that uses others is refused. */
        public Builder contracts(Deployment trusted) {
            contracts = trusted;
            return this;
        }

        /**
         * Sets who is asked, once and before anything is signed, whether contracts are trusted that nobody named and this
         * release does not know. Show the addresses to a person, and remember the answer.
         */
        public Builder confirmContracts(Predicate<Deployment> answer) {
            confirm = answer;
            return this;
        }

        /** Sets the time until a connection is open; 10 seconds by default. */
        public Builder connectTimeout(Duration longest) {
            connect = longest;
            return this;
        }

        /** Sets the time until a server begins to answer; 60 seconds by default. */
        public Builder headersTimeout(Duration longest) {
            headers = longest;
            return this;
        }

        /** Sets the time between two pieces of an answer, also of streams and downloads; 60 seconds by default. */
        public Builder readTimeout(Duration longest) {
            silence = longest;
            return this;
        }

        /** Sets the time for the whole answer of a call that is no stream and no download; 10 minutes by default. */
        public Builder callTimeout(Duration longest) {
            call = longest;
            return this;
        }

        /** Returns the client; see {@link Insitu#connect}. */
        public Client connect() {
            Http.address(url);
            Http.address(catalogue);
            if (node != null) {
                Http.address(node);
            }
            Http http = new Http(new Bounds(connect, headers, silence, call));
            Provider.Setting setting = new Provider.Setting(url, catalogue, node, contracts, confirm);
            return new Client(new Provider(http, setting, account));
        }

        private static String withoutSlash(String address) {
            return address.endsWith("/") ? address.substring(0, address.length() - 1) : address;
        }
    }
}
