package insitu.client;

import insitu.domain.Address;

/** A client of one provider for one account. It may be used by several threads; close it when it is no longer needed. */
public final class Client implements AutoCloseable {
    private final Provider provider;

    Client(Provider provider) {
        this.provider = provider;
    }

    /** Returns the account that this client acts for. */
    public Address account() {
        return provider.address();
    }

    /** Returns what finds, publishes and changes assets. */
    public Assets assets() {
        return new Assets(provider);
    }

    /** Returns what runs bought agreements. */
    public Compute compute() {
        return new Compute(provider);
    }

    /** Returns what buys workflows, and ends agreements. */
    public Agreements agreements() {
        return provider.agreements();
    }

    /**
     * Ends the session at the gateway, if there is one.
     *
     * @throws insitu.InsituException {@code PeerUnavailable}
     * @throws InterruptedException if this thread is interrupted
     */
    public void signOut() throws InterruptedException {
        provider.gateway().session().signOut();
    }

    /** Ends what is going on, and does not sign out: the session ends by itself. */
    @Override
    public void close() {
        provider.http().close();
    }
}
