package insitu.client;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.Address;
import insitu.domain.ComputeService;
import insitu.domain.Ddo;
import insitu.domain.ExpectedCost;
import insitu.domain.InputVersion;
import insitu.domain.OfferedInput;
import insitu.domain.Quote;
import insitu.domain.WantedPurchase;
import insitu.domain.Workflow;
import insitu.internal.Place;
import insitu.json.Json;
import insitu.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Asks gateways for prices, and compares what they say with documents and chain. */
final class Quotes {
    /** A workflow that somebody wants to run, and its inputs, as the registry and their documents have them. */
    private record Wanted(
            InputVersion workflow,
            Workflow stages,
            List<OfferedInput> inputs,
            List<InputVersion> versions,
            Ddo.Service service) {}

    /** A verdict, and the gateway that gave it. */
    record Asked(Verdict verdict, Gateway gateway) {}

    private final Provider provider;

    Quotes(Provider provider) {
        this.provider = provider;
    }

    /** Asks for verdict, server and price of a published workflow. */
    Asked check(String did, @Nullable Long serviceIndex) throws InterruptedException {
        ResolvedAsset asset = provider.resolver().resolveAllowed(did);
        JsonObject main = asset.ddo().main();
        Workflow stages = Workflow.read(Place.of(main).at("workflow").object());
        Wanted wanted = read(new InputVersion(did, asset.checksum()), stages, serviceIndex);
        return ask(wanted, JsonObject.EMPTY.with("workflowDid", Json.of(did)), serviceIndex);
    }

    /** Asks like {@link #check} about a workflow that is not published. */
    Asked checkPlanned(JsonObject described, Workflow stages, @Nullable Long serviceIndex) throws InterruptedException {
        Wanted wanted = read(new InputVersion("", ""), stages, serviceIndex);
        return ask(wanted, JsonObject.EMPTY.with("workflow", described), serviceIndex);
    }

    private Wanted read(InputVersion workflow, Workflow stages, @Nullable Long serviceIndex)
            throws InterruptedException {
        Address template = provider.chain().contracts().template();
        List<OfferedInput> inputs = new ArrayList<>();
        List<InputVersion> versions = new ArrayList<>();
        Ddo.Service first = null;
        for (String did : stages.inputDids()) {
            ResolvedAsset found = provider.resolver().resolveAllowed(did);
            Ddo.Service service = found.ddo().computeService(first == null ? serviceIndex : null);
            first = first == null ? service : first;
            if (!template.text().equalsIgnoreCase(service.templateId())) {
                String detail = did + " is sold with the template " + service.templateId() + ", and " + template
                        + " is trusted";
                throw new InsituException(ErrorCode.TemplateNotApproved, detail);
            }
            inputs.add(new OfferedInput(
                    did, ComputeService.of(service, ""), found.record().owner()));
            versions.add(new InputVersion(did, found.checksum()));
        }
        if (first == null) {
            throw new InsituException(ErrorCode.InvalidDocument, "the workflow reads no data set");
        }
        return new Wanted(workflow, stages, inputs, versions, first);
    }

    private Asked ask(Wanted wanted, JsonObject workflow, @Nullable Long serviceIndex) throws InterruptedException {
        String endpoint = wanted.service().endpoint();
        Gateway gateway = provider.gatewayAt(Gateway.urlOf(endpoint == null ? "" : endpoint));
        JsonObject asked = workflow.with("consumer", Json.of(provider.address().text()));
        JsonObject question = serviceIndex == null ? asked : asked.with("serviceIndex", Json.of(serviceIndex));
        Verdict said = gateway.ask("/check", question, at -> {
            Verdict verdict = Verdict.read(at);
            if (verdict.isAllowed()) {
                Quote.read(at.object());
            }
            return verdict;
        });
        return new Asked(said.isAllowed() ? judge(said, wanted) : said, gateway);
    }

    /** Refuses a quote that differs from what the documents and the chain say. */
    private Verdict judge(Verdict said, Wanted wanted) throws InterruptedException {
        Quote quote = Objects.requireNonNull(said.quote());
        Address seller = quote.provider();
        for (OfferedInput input : wanted.inputs()) {
            if (!provider.chain().isProvider(input.did(), seller)) {
                String detail = seller + " is not a provider of " + input.did();
                throw new InsituException(ErrorCode.NotDIDProvider, detail);
            }
        }
        if (provider.chain().code(seller).length > 0) {
            throw new InsituException(ErrorCode.ProviderIsContract, seller + " is the account of a contract");
        }
        ExpectedCost cost = ExpectedCost.of(wanted.stages(), wanted.inputs(), seller, provider.address());
        Long index = wanted.service().index();
        quote.verify(new WantedPurchase(wanted.workflow(), wanted.versions(), index == null ? -1 : index, cost));
        return new Verdict(true, List.of(), quote, cost);
    }

    /** Refuses a workflow that may not run as a revision under an agreement. Nothing of it is paid, so there is no quote. */
    void requireRevision(Agreement agreement, Gateway gateway, JsonObject described) throws InterruptedException {
        JsonObject question = Json.objectOf(Map.of(
                "consumer", provider.address().text(),
                "workflow", described,
                "serviceAgreementId", agreement.id().text()));
        gateway.ask("/check", question, Verdict::read).requireAllowed();
    }
}
