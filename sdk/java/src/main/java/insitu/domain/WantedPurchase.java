package insitu.domain;

import java.util.List;

/**
 * What somebody wants to buy, by their own reading of the documents that the registry names.
 *
 * @param workflow the workflow in one version
 * @param inputs every data set once, in the workflow's order
 * @param serviceIndex index of the compute service of the first input
 * @param cost what {@link ExpectedCost#of} says, for the provider that the quote names
 */
public record WantedPurchase(InputVersion workflow, List<InputVersion> inputs, long serviceIndex, ExpectedCost cost) {
    public WantedPurchase {
        inputs = List.copyOf(inputs);
    }
}
