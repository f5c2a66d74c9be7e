package insitu.vectors;

import static insitu.vectors.Vector.isNull;
import static insitu.vectors.Vector.refuses;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;

import insitu.InsituException;
import insitu.domain.Address;
import insitu.domain.AlgorithmVersion;
import insitu.domain.ComputeService;
import insitu.domain.EffectivePolicy;
import insitu.domain.EffectivePolicy.InputPolicy;
import insitu.domain.Policy;
import insitu.domain.PublicationKey;
import insitu.domain.Revisions;
import insitu.domain.SealedList;
import insitu.domain.Workflow;
import insitu.internal.Bytes;
import insitu.internal.Place;
import insitu.json.Json;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;

final class RuleVectorsTest {
    @TestFactory
    Stream<DynamicTest> theStrictestPolicyHolds() {
        Place vector = Vector.read("policies", "consumer", "algorithm", "inputs", "cases");
        List<String> dids = vector.at("inputs").list(Place::text);
        Place given = vector.at("algorithm");
        AlgorithmVersion algorithm = new AlgorithmVersion(
                given.at("did").text(),
                given.at("checksum").text(),
                given.at("publisher").address(),
                given.at("registrant").address(),
                true);
        return Vector.each(vector.at("cases"), one -> one.at("name").text(), one -> {
            List<InputPolicy> bought = policies(one.at("bought"), dids);
            List<InputPolicy> current = policies(one.at("current"), dids);
            EffectivePolicy found = EffectivePolicy.of(bought, current);
            assertEquals(Json.text(one.at("effective").object()), Json.text(Json.objectOf(told(found))));
            List<InputPolicy> all =
                    Stream.concat(bought.stream(), current.stream()).toList();
            var refusals = EffectivePolicy.refusals(
                            all, List.of(algorithm), vector.at("consumer").address())
                    .stream()
                    .map(refusal -> List.of(refusal.code(), dids.indexOf(refusal.did())))
                    .toList();
            assertEquals(Json.text(one.at("refused").value()), Json.text(Json.of(refusals)));
        });
    }

    private static List<InputPolicy> policies(Place list, List<String> dids) {
        List<Policy> read = list.list(one -> Policy.read(one.object()));
        return Stream.iterate(0, at -> at < read.size(), at -> at + 1)
                .map(at -> new InputPolicy(dids.get(at), read.get(at)))
                .toList();
    }

    private static Map<String, @Nullable Object> told(EffectivePolicy policy) {
        Map<String, @Nullable Object> told = new LinkedHashMap<>();
        told.put("maxExecutions", policy.maxExecutions());
        told.put("failures", policy.failures());
        told.put("data", policy.data());
        told.put("maxBytes", policy.maxBytes());
        told.put("maxFiles", policy.maxFiles());
        told.put("maxLogBytes", policy.maxLogBytes());
        told.put("types", policy.types());
        told.put("review", policy.isReviewed() ? "manual" : "none");
        told.put("logs", policy.logs());
        told.put("revisions", policy.revisions());
        told.put("parameters", policy.parameters());
        return told;
    }

    @TestFactory
    Stream<DynamicTest> aRevisionBuysNothingElse() {
        Place vector = revisions();
        Workflow bought = Workflow.read(vector.at("bought").object());
        Map<String, Object> main = Map.of(
                "timeout",
                86_400,
                "provider",
                Map.of(
                        "environment",
                        Map.of("supportedServers", vector.at("servers").list(Place::object))));
        ComputeService service = ComputeService.read(Json.of(main));
        return Vector.each(
                vector.at("revisions"),
                one -> one.at("name").text(),
                one -> judged(
                        one,
                        () -> Revisions.requireSamePurchase(
                                bought, Workflow.read(one.at("revised").object()), List.of(service, service))));
    }

    @TestFactory
    Stream<DynamicTest> parametersAreThoseThatOwnersAllow() {
        Place vector = revisions();
        Workflow bought = Workflow.read(vector.at("bought").object());
        List<String> allowed = vector.at("allowedParameters").list(Place::text);
        return Vector.each(
                vector.at("parameters"),
                one -> one.at("name").text(),
                one -> judged(
                        one,
                        () -> Revisions.requireParameters(
                                bought,
                                one.at("parameters").map(stage -> stage.object().members()),
                                allowed)));
    }

    private static void judged(Place one, Executable act) {
        if (isNull(one.at("code"))) {
            assertDoesNotThrow(act);
        } else {
            var refusal = refuses(one.at("code").text(), act);
            assertEquals(
                    one.at("pointer").optional(Place::text), refusal.pointer().orElse(null));
        }
    }

    private static Place revisions() {
        return Vector.read("revisions", "bought", "servers", "revisions", "allowedParameters", "parameters");
    }

    @TestFactory
    Stream<DynamicTest> aPublicationHasOneKey() {
        return Vector.each(
                Vector.read("publication-keys", "cases").at("cases"),
                one -> one.at("what").text(),
                one -> assertEquals(
                        one.at("key").text(),
                        PublicationKey.of(
                                one.at("chainId").count(),
                                one.at("registry").address(),
                                one.at("gateway").text(),
                                one.at("creator").address(),
                                one.at("description").object(),
                                one.at("digests").map(Place::text))));
    }

    @TestFactory
    Stream<DynamicTest> aSealedListIsOfItsDid() {
        Place vector = sealedLists();
        return Vector.each(
                vector.at("texts"),
                one -> one.at("name").text(),
                one -> assertEquals(
                        one.at("opens").flag()
                                ? Optional.of(Map.entry(
                                        one.at("sealer").address(),
                                        Json.text(vector.at("files").value())))
                                : Optional.empty(),
                        opened(one, vector)));
    }

    // As a gateway with one key opens it.
    private static Optional<Map.Entry<Address, String>> opened(Place one, Place vector) {
        try {
            SealedList sealed = SealedList.read(
                    one.at("text").value(),
                    one.at("did").text(),
                    one.at("creator").address(),
                    vector.at("chainId").count());
            if (sealed.keyVersion() != one.at("keyVersion").count()) {
                return Optional.empty();
            }
            Cipher aes = Cipher.getInstance("AES/GCM/NoPadding");
            byte[] key = Bytes.fromHex(vector.at("key").text());
            aes.init(
                    Cipher.DECRYPT_MODE,
                    new SecretKeySpec(key, "AES"),
                    new GCMParameterSpec(128, Arrays.copyOf(sealed.payload(), 12)));
            aes.updateAAD(sealed.associated());
            byte[] list = aes.doFinal(sealed.payload(), 12, sealed.payload().length - 12);
            return Optional.of(Map.entry(sealed.sealer(), Json.text(Json.read(list))));
        } catch (InsituException | GeneralSecurityException | IllegalArgumentException closed) {
            return Optional.empty();
        }
    }

    @TestFactory
    Stream<DynamicTest> aVersionMayCarryTheListOfItsSealer() {
        return Vector.each(sealedLists().at("versions"), one -> one.at("name").text(), one -> {
            List<SealedList.Version> versions = one.at("versions")
                    .list(version -> new SealedList.Version(
                            version.at("registrant").address(),
                            version.at("list").optional(Place::text)));
            assertEquals(
                    one.at("allowed").flag(),
                    SealedList.mayCarry(versions, one.at("sealer").address()));
        });
    }

    private static Place sealedLists() {
        return Vector.read("sealed-lists", "key", "chainId", "files", "texts", "versions");
    }
}
