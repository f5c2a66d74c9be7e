package insitu.domain;

/**
 * An input of a workflow.
 *
 * @param did its data set
 * @param service the compute service that is bought
 * @param owner who owns the DID on chain
 */
public record OfferedInput(String did, ComputeService service, Address owner) {}
