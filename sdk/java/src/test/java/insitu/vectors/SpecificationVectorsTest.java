package insitu.vectors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import insitu.domain.AgreementTemplate;
import insitu.domain.ComputeService;
import insitu.domain.Ddo;
import insitu.domain.Units;
import insitu.domain.Workflow;
import insitu.json.Json;
import insitu.json.JsonValue;
import java.math.BigInteger;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

final class SpecificationVectorsTest {
    @Test
    void theSpecificationsExampleOfAComputeServiceIsReadAndNothingOfItIsLost() {
        JsonValue document = Json.read(Vector.bytes("specification-compute-service"));
        Ddo ddo = Ddo.read(document);
        assertEquals(document, ddo.json());
        assertTrue(ddo.onchainChecksum().matches("[0-9a-f]{64}"));
        ComputeService compute = ComputeService.of(ddo.computeService(2L), "/service/0");
        assertEquals(BigInteger.TEN, compute.price());
        assertEquals(86_400, compute.timeout());
        assertEquals(
                List.of("1", "2"),
                compute.servers().stream().map(ComputeService.Server::serverId).toList());
        assertEquals(
                List.of("xlsize", "medium"),
                compute.servers().stream()
                        .map(ComputeService.Server::serverType)
                        .toList());
        ComputeService.Server first = compute.servers().get(0);
        assertEquals(new BigInteger("5000000000000000000"), first.price());
        assertEquals(128_000_000_000L, Units.parseBytes(first.memory()));
        assertEquals(
                List.of("lockReward", "execCompute", "escrowReward"),
                Objects.requireNonNull(compute.template()).conditions().stream()
                        .map(condition -> AgreementTemplate.conditionName(Objects.requireNonNull(condition.name())))
                        .toList());
    }

    @Test
    void theSpecificationsExampleOfAWorkflowIsReadAndNothingOfItIsLost() {
        JsonValue document = Json.read(Vector.bytes("specification-workflow"));
        Ddo ddo = Ddo.read(document);
        assertEquals(document, ddo.json());
        Workflow workflow = Workflow.of(ddo);
        assertEquals(List.of("did:nv:12345", "did:nv:67890"), workflow.inputDids());
        assertEquals(
                List.of("did:nv:abcde", "did:nv:999999"),
                List.copyOf(workflow.transformations().keySet()));
        assertEquals(0L, workflow.stages().get(1).input().get(0).previousStage());
    }
}
