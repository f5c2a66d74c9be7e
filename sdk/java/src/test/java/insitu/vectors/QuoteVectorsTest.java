package insitu.vectors;

import static insitu.vectors.Vector.isNull;
import static insitu.vectors.Vector.refuses;
import static org.junit.jupiter.api.Assertions.assertEquals;

import insitu.domain.ComputeService;
import insitu.domain.ExpectedCost;
import insitu.domain.InputVersion;
import insitu.domain.OfferedInput;
import insitu.domain.Quote;
import insitu.domain.Terms;
import insitu.domain.WantedPurchase;
import insitu.domain.Workflow;
import insitu.internal.Place;
import insitu.json.Json;
import insitu.json.JsonObject;
import insitu.json.JsonValue;
import java.math.BigInteger;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

final class QuoteVectorsTest {
    @TestFactory
    Stream<DynamicTest> documentsSayWhatAPurchaseCosts() {
        return Vector.each(quotes().at("quotes"), one -> one.at("name").text(), one -> {
            ExpectedCost cost = cost(one);
            Map<String, Object> found = Map.of(
                    "server", String.valueOf(cost.server().serverId()),
                    "receivers", cost.receivers().stream().map(Object::toString).toList(),
                    "amounts", cost.amounts().stream().map(BigInteger::toString).toList(),
                    "price", cost.total().toString(),
                    "deadlineSeconds", cost.times().lockTimeout(),
                    "grantTimeout", cost.times().grantTimeout(),
                    "timeout", cost.times().timeout(),
                    "settleTimeout", cost.times().settleTimeout());
            List<String> receivers =
                    one.at("quote").at("receivers").list(to -> to.address().text());
            JsonObject said = one.at("quote").object().with("receivers", Json.of(receivers));
            assertEquals(Json.text(said), Json.text(Json.objectOf(found)));
        });
    }

    @TestFactory
    Stream<DynamicTest> documentsThatCannotBeBoughtAreRefused() {
        return Vector.each(
                quotes().at("refused"),
                one -> one.at("name").text(),
                one -> refuses(one.at("code").text(), () -> cost(one)));
    }

    @TestFactory
    Stream<DynamicTest> aGatewaysQuoteIsSignedOnlyIfTheDocumentsSayTheSame() {
        Place vector = Vector.read("gateway-quotes", "wanted", "answer", "terms", "cases");
        return Vector.each(vector.at("cases"), one -> one.at("name").text(), one -> {
            JsonValue told = Vector.patched(vector.at("answer").object(), one.at("patch"));
            if (isNull(one.at("code"))) {
                Terms terms = judged(told, vector.at("wanted"));
                assertEquals(Json.text(vector.at("terms").object()), Json.text(terms.json()));
            } else {
                refuses(one.at("code").text(), () -> judged(told, vector.at("wanted")));
            }
        });
    }

    private static ExpectedCost cost(Place one) {
        Workflow workflow = Workflow.read(one.at("workflow").object());
        List<OfferedInput> inputs = workflow.inputDids().stream()
                .map(did -> new OfferedInput(
                        did,
                        ComputeService.read(one.at("services").at(did).object()),
                        one.at("owners").at(did).address()))
                .toList();
        return ExpectedCost.of(
                workflow,
                inputs,
                quotes().at("provider").address(),
                quotes().at("consumer").address());
    }

    private static Terms judged(JsonValue told, Place wanted) {
        Quote quote = Quote.read(told);
        List<OfferedInput> offers = wanted.at("inputs")
                .list(input -> new OfferedInput(
                        input.at("did").text(),
                        ComputeService.read(input.at("service").object()),
                        input.at("owner").address()));
        JsonObject workflow = wanted.at("workflow").object();
        ExpectedCost cost = ExpectedCost.of(
                Workflow.read(workflow),
                offers,
                quote.provider(),
                wanted.at("consumer").address());
        quote.verify(new WantedPurchase(
                new InputVersion(
                        wanted.at("workflowDid").text(),
                        wanted.at("workflowHash").text()),
                wanted.at("inputs")
                        .list(input -> new InputVersion(
                                input.at("did").text(), input.at("checksum").text())),
                wanted.at("serviceIndex").count(),
                cost));
        return quote.terms(
                wanted.at("consumer").address(),
                wanted.at("now").count(),
                wanted.at("seed").text());
    }

    private static Place quotes() {
        return Vector.read("quotes", "provider", "consumer", "quotes", "refused");
    }
}
