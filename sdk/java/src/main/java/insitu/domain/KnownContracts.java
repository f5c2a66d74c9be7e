package insitu.domain;

/**
 * The contracts of a chain that this release knows.
 *
 * @param chain what people call the chain
 * @param chainId its id
 * @param registry of DIDs
 * @param template of agreements
 * @param token with which people pay
 */
public record KnownContracts(String chain, long chainId, Address registry, Address template, Address token) {}
