package insitu.client;

import insitu.domain.Signer;
import insitu.internal.http.Bounds;
import insitu.internal.http.Http;
import java.time.Duration;

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
            Http http = new Http(new Bounds(connect, headers, silence, call));
            return new Client(new Provider(http, url, catalogue, account));
        }

        private static String withoutSlash(String address) {
            return address.endsWith("/") ? address.substring(0, address.length() - 1) : address;
        }
    }
}
