package insitu.vectors;

import static insitu.vectors.Vector.refuses;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import insitu.ErrorCode;
import insitu.domain.Call;
import insitu.domain.Calls;
import insitu.domain.ContractCode;
import insitu.domain.ContractFunction;
import insitu.domain.Contracts;
import insitu.domain.LocalSigner;
import insitu.domain.Settlement;
import insitu.domain.SignedPermit;
import insitu.domain.SignedRequest;
import insitu.domain.Terms;
import insitu.domain.Transaction;
import insitu.internal.Bytes;
import insitu.internal.Hashes;
import insitu.internal.Place;
import insitu.json.Json;
import insitu.json.JsonValue;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

final class CallVectorsTest {
    @TestFactory
    Stream<DynamicTest> callData() {
        return Vector.each(calls().at("calls"), one -> one.at("name").text(), one -> {
            Call call = made(
                    one.at("name").text(), Vector.items(one.at("arguments")).toArray(Place[]::new));
            assertEquals(one.at("contract").text(), call.function().contract());
            assertEquals(one.at("signature").text(), call.function().signature());
            assertEquals(one.at("data").text(), call.data());
        });
    }

    @TestFactory
    Stream<DynamicTest> signedTransactions() {
        return Vector.each(calls().at("transactions"), one -> one.at("name").text(), one -> {
            LocalSigner sender = LocalSigner.of(one.at("key").text());
            Place wanted = one.at("transaction");
            Transaction transaction = new Transaction(
                    wanted.at("chainId").count(),
                    wanted.at("nonce").count(),
                    wanted.at("to").address(),
                    wanted.at("data").text(),
                    number(wanted.at("value")),
                    number(wanted.at("gas")),
                    number(wanted.at("maxFeePerGas")),
                    number(wanted.at("maxPriorityFeePerGas")),
                    wanted.at("gasPrice").optional(CallVectorsTest::number));
            assertEquals(one.at("sender").address(), sender.address());
            byte[] signed = transaction.signed(sender);
            assertEquals(one.at("raw").text(), Bytes.hex(signed));
            assertEquals(one.at("hash").text(), Transaction.hash(signed));
        });
    }

    @Test
    void whatAContractReturnsIsReadBackAndRefusedIfItIsCutOff() {
        Call refund = made("refund", argumentsOf("refund"));
        byte[] answer = withoutSelector(refund);
        assertEquals(whole(refund.arguments()), Contracts.AGREEMENT_CREATED.read(answer));
        refuses(
                ErrorCode.ChainUnavailable,
                () -> Contracts.AGREEMENT_CREATED.read(Arrays.copyOf(answer, answer.length - 1)));
        Call update = made("update_attribute", argumentsOf("update_attribute"));
        ContractFunction texts = new ContractFunction("", "", List.of("bytes32", "bytes32", "string"));
        assertEquals(update.arguments(), texts.read(withoutSelector(update)));
        byte[] tooLong = withoutSelector(update);
        tooLong[64] = (byte) 0xff;
        refuses(ErrorCode.ChainUnavailable, () -> texts.read(tooLong));
        refuses(ErrorCode.ChainUnavailable, () -> Contracts.IS_DID_PROVIDER.read(new byte[0]));
        assertEquals(List.of(true), Contracts.IS_DID_PROVIDER.read(Bytes.word(1)));
    }

    @Test
    void aValueThatDoesNotFitItsTypeIsAMistakeOfTheCaller() {
        for (Object wrong : List.of(1L << 32, -1, "0x01", true)) {
            Call call = new ContractFunction("", "f(uint32)", List.of()).call(wrong);
            assertThrows(IllegalArgumentException.class, call::data);
        }
        assertThrows(
                IllegalArgumentException.class, () -> Contracts.TOKEN.call(1).data());
    }

    @Test
    void codeIsComparedWithoutTheWordsThatEachDeploymentHasOfItsOwn() {
        byte[] code = new byte[100];
        ContractCode expected = new ContractCode("", Bytes.hex(Hashes.keccak(code)), List.of(10));
        Arrays.fill(code, 10, 42, (byte) 7);
        assertTrue(expected.isCode(code));
        code[42] = 7;
        assertFalse(expected.isCode(code));
        assertFalse(expected.isCode(new byte[5]));
    }

    private static byte[] withoutSelector(Call call) {
        byte[] data = Bytes.fromHex(call.data());
        assertArrayEquals(
                Arrays.copyOf(Hashes.keccak(Bytes.utf8(call.function().signature())), 4), Arrays.copyOf(data, 4));
        return Arrays.copyOfRange(data, 4, data.length);
    }

    private static List<Object> whole(List<?> values) {
        return values.stream()
                .<Object>map(one -> one instanceof List<?> list
                        ? whole(list)
                        : one instanceof Long number ? BigInteger.valueOf(number) : one)
                .toList();
    }

    private static Place[] argumentsOf(String name) {
        return Vector.items(calls().at("calls")).stream()
                .filter(one -> one.at("name").text().equals(name))
                .flatMap(one -> Vector.items(one.at("arguments")).stream())
                .toArray(Place[]::new);
    }

    private static Call made(String name, Place... given) {
        return switch (name) {
            case "register_attribute" ->
                Calls.registerAttribute(
                        given[0].text(), given[1].text(), given[2].list(Place::address), given[3].text());
            case "register_attribute_for" ->
                Calls.registerAttributeFor(
                        given[0].text(),
                        given[1].text(),
                        given[2].list(Place::address),
                        given[3].text(),
                        given[4].address());
            case "update_attribute" -> Calls.updateAttribute(given[0].text(), given[1].text(), given[2].text());
            case "transfer_ownership" -> Calls.transferOwnership(given[0].text(), given[1].address());
            case "create_and_lock" -> Calls.createAndLock(terms(given[0]), given[1].text(), permit(given[2]));
            case "create_lock_grant" ->
                Calls.createLockGrant(terms(given[0]), given[1].text(), permit(given[2]), given[3].text());
            case "grant" -> Calls.grant(terms(given[0]));
            case "refuse" -> Calls.refuse(terms(given[0]));
            case "settle" -> Calls.settle(terms(given[0]), settlement(given[1]), given[2].text());
            case "settle_batch" ->
                Calls.settleBatch(given[0].list(item -> {
                    List<Place> pair = Vector.items(item);
                    return new Calls.Settled(terms(pair.get(0)), pair.get(1).list(CallVectorsTest::settlement));
                }));
            case "cancel" -> Calls.cancel(terms(given[0]));
            case "refund" -> Calls.refund(terms(given[0]));
            case "used" ->
                Calls.used(given[0].text(), given[1].text(), given[2].address(), given[3].text(), given[4].text());
            case "was_derived_from" ->
                Calls.wasDerivedFrom(
                        given[0].text(),
                        given[1].text(),
                        given[2].text(),
                        given[3].address(),
                        given[4].text(),
                        given[5].text());
            case "was_associated_with" ->
                Calls.wasAssociatedWith(
                        given[0].text(), given[1].text(), given[2].address(), given[3].text(), given[4].text());
            case "use_permit" ->
                Calls.usePermit(
                        given[0].address(),
                        given[1].address(),
                        permit(given[2], given[3], given[4], given[5], given[6]));
            case "RegistrationBatch" -> request("registrations", given, "creator", "items", "deadline");
            case "UpdateBatch" -> request("updates", given, "owner", "items", "deadline");
            case "Transfer" -> request("transfer", given, "did", "newOwner", "changes", "deadline");
            case "ProviderChange" ->
                request("providerChange", given, "did", "provider", "allowed", "changes", "deadline");
            default -> throw new AssertionError("nobody makes " + name);
        };
    }

    private static Call request(String kind, Place[] given, String... names) {
        Map<String, @Nullable JsonValue> members = new LinkedHashMap<>();
        IntStream.range(0, names.length).forEach(at -> members.put(names[at], given[at].value()));
        if (members.containsKey("items")) {
            List<String> parts = kind.equals("updates")
                    ? List.of("did", "checksum", "url", "version")
                    : List.of("seed", "checksum", "providers", "url");
            members.put("items", Json.of(given[1].list(item -> {
                Map<String, @Nullable JsonValue> named = new LinkedHashMap<>();
                Vector.items(item).forEach(value -> named.put(parts.get(named.size()), value.value()));
                return named;
            })));
        }
        String signature = given[given.length - 1].text();
        String readable = signature.length() < 132 ? "0x" + "00".repeat(65) : signature;
        SignedRequest request = SignedRequest.read(
                Json.of(Map.of("chainId", 1, "registry", "0x" + "11".repeat(20), kind, members, "signature", readable)),
                "");
        return Calls.sendRequest(request.data(), signature);
    }

    private static Terms terms(Place given) {
        List<Place> at = Vector.items(given);
        return new Terms(
                at.get(0).text(),
                at.get(1).text(),
                at.get(2).text(),
                at.get(3).text(),
                at.get(4).text(),
                at.get(5).address(),
                at.get(6).address(),
                at.get(7).amount().longValueExact(),
                at.get(8).amount().longValueExact(),
                at.get(9).amount().longValueExact(),
                at.get(10).amount().longValueExact(),
                at.get(11).amount().longValueExact(),
                at.get(12).list(Place::amount),
                at.get(13).list(Place::address));
    }

    private static Settlement settlement(Place given) {
        List<Place> at = Vector.items(given);
        return new Settlement(
                at.get(0).amount().longValueExact(),
                at.get(1).amount(),
                at.get(2).text(),
                at.get(3).flag());
    }

    private static @Nullable SignedPermit permit(Place given) {
        SignedPermit permit = permit(Vector.items(given).toArray(Place[]::new));
        return permit.deadline() == 0 ? null : permit;
    }

    private static SignedPermit permit(Place... at) {
        String v = Bytes.digits(new byte[] {at[2].amount().byteValueExact()});
        return new SignedPermit(
                at[0].amount(), at[1].amount().longValueExact(), at[3].text() + Bytes.plainDigits(at[4].text()) + v);
    }

    private static BigInteger number(Place at) {
        return BigInteger.valueOf(at.isAbsent() ? 0 : at.count());
    }

    private static Place calls() {
        return Vector.read("calls", "calls", "transactions");
    }
}
