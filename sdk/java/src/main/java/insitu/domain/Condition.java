package insitu.domain;

import insitu.internal.Abi;
import insitu.internal.Bytes;
import insitu.internal.Hashes;
import java.util.List;

/**
 * One of the three conditions of an agreement.
 *
 * @param name {@code lockReward}, {@code execCompute} or {@code escrowReward}
 * @param contract the name of its contract
 * @param signature the ABI signature of its function {@code fulfill}
 */
public record Condition(String name, String contract, String signature) {
    private static final String TERMS = Structs.tupleOf(Structs.TERMS);

    /** The conditions in the order in which they are fulfilled and documents list them. */
    public static final List<Condition> ALL = List.of(
            new Condition("lockReward", "LockRewardCondition", "fulfill(" + TERMS + ",address,uint256)"),
            new Condition("execCompute", "ComputeExecutionCondition", "fulfill(" + TERMS + ",bytes32,address)"),
            new Condition(
                    "escrowReward", "EscrowReward", "fulfill(" + TERMS + ",(uint32,uint128,bytes32,bool),bytes)"));

    /** Returns the first 4 bytes of the hash of the signature, which choose the function in a call. */
    public byte[] selector() {
        return Abi.selector(signature);
    }

    /** Returns its key, {@code keccak256(abi.encode(template, controller, selector))}: 0x and 64 digits. */
    public String key(Address template, Address controller) {
        return Bytes.hex(Hashes.keccak(
                Bytes.padStart(template.bytes()), Bytes.padStart(controller.bytes()), Bytes.padEnd(selector())));
    }
}
