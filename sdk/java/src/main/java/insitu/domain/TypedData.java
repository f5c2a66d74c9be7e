package insitu.domain;

import insitu.InsituException;
import insitu.internal.Abi;
import insitu.internal.Bytes;
import insitu.internal.Hashes;
import insitu.internal.Place;
import insitu.json.JsonNumber;
import insitu.json.JsonValue;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What an account signs for one contract on one chain (EIP-712).
 *
 * @param domain where it is worth something
 * @param type the struct as EIP-712 writes it, followed by those that it is made of: {@code Permit(address owner,…)}
 * @param message its members. Numbers are {@link Integer}, {@link Long} or {@link BigInteger}, accounts
 *     {@link Address}, other bytes text of 0x and hexadecimal digits, lists {@link List}, structs {@link Map}
 */
public record TypedData(SigningDomain domain, String type, Map<String, ?> message) {
    private static final Pattern BYTES32 = Pattern.compile("0x[0-9a-fA-F]{64}");
    private static final Pattern STRUCT = Pattern.compile("(\\w+)\\(([^)]*)\\)");

    public TypedData {
        message = Map.copyOf(message);
    }

    /**
     * Returns the 32 bytes that the account signs.
     *
     * @throws IllegalArgumentException if the message has other members than the struct, or one of another type
     */
    public byte[] digest() {
        return Hashes.keccak(new byte[] {0x19, 0x01}, domain.hash(), hashStruct(type, message));
    }

    /**
     * Makes typed data of JSON, as requests and documents write it: numbers as such or as text of digits.
     *
     * @throws InsituException {@code InvalidDocument} if the message has other members than the struct, or one of another
     *     type
     */
    public static TypedData of(SigningDomain domain, String type, JsonValue message) {
        Map<String, String> structs = structsOf(type);
        return new TypedData(domain, type, read(structs, nameOf(structs), Place.strictly(message)));
    }

    private static Map<String, Object> read(Map<String, String> structs, String name, Place at) {
        String[] members = structs.getOrDefault(name, "").split(",");
        at.object(Arrays.stream(members).map(member -> member.split(" ")[1]).toArray(String[]::new));
        Map<String, Object> read = new LinkedHashMap<>();
        for (String member : members) {
            String[] parts = member.split(" ");
            read.put(parts[1], readMember(structs, parts[0], at.at(parts[1])));
        }
        return read;
    }

    private static Object readMember(Map<String, String> structs, String type, Place at) {
        if (type.endsWith("[]")) {
            return at.list(item -> readMember(structs, type.substring(0, type.length() - 2), item));
        }
        if (structs.containsKey(type)) {
            return read(structs, type, at);
        }
        return switch (type) {
            case "address" -> at.address();
            case "bool" -> at.flag();
            case "string" -> at.text();
            case "bytes32" -> at.matching(BYTES32, "0x and 64 hexadecimal digits");
            default -> at.value() instanceof JsonNumber ? BigInteger.valueOf(at.count()) : at.amount();
        };
    }

    /** Returns the message as contracts take it: each struct as the list of its members. */
    List<Object> tuple() {
        Map<String, String> structs = structsOf(type);
        return tuple(structs, nameOf(structs), message);
    }

    private static List<Object> tuple(Map<String, String> structs, String name, Map<?, ?> message) {
        List<Object> values = new ArrayList<>();
        for (String member : structs.getOrDefault(name, "").split(",")) {
            String[] parts = member.split(" ");
            Object value = message.get(parts[1]);
            String item = parts[0].replace("[]", "");
            values.add(
                    structs.containsKey(item) && value instanceof List<?> items
                            ? items.stream()
                                    .map(one -> tuple(structs, item, (Map<?, ?>) one))
                                    .toList()
                            : value);
        }
        return List.copyOf(values);
    }

    static byte[] hashStruct(String type, Map<String, ?> message) {
        Map<String, String> structs = structsOf(type);
        return hash(structs, nameOf(structs), message);
    }

    private static Map<String, String> structsOf(String type) {
        Map<String, String> structs = new LinkedHashMap<>();
        for (Matcher found = STRUCT.matcher(type); found.find(); ) {
            structs.put(found.group(1), found.group(2));
        }
        return structs;
    }

    private static String nameOf(Map<String, String> structs) {
        return structs.keySet().iterator().next();
    }

    private static byte[] hash(Map<String, String> structs, String name, Map<?, ?> message) {
        ByteArrayOutputStream words = new ByteArrayOutputStream();
        words.writeBytes(Hashes.keccak(Bytes.utf8(encodeType(structs, name))));
        String[] members = structs.getOrDefault(name, "").split(",");
        for (String member : members) {
            String[] parts = member.split(" ");
            words.writeBytes(encode(structs, parts[0], message.get(parts[1])));
        }
        if (members.length != message.size()) {
            throw new IllegalArgumentException(name + " has the members " + structs.get(name));
        }
        return Hashes.keccak(words.toByteArray());
    }

    // No struct of this system uses one that uses another, and none uses two.
    private static String encodeType(Map<String, String> structs, String name) {
        StringBuilder written = new StringBuilder(name + "(" + structs.get(name) + ")");
        Set<String> others = structs.keySet();
        others.stream()
                .filter(other -> !other.equals(name) && structs.get(name).contains(other + "[] "))
                .forEach(other -> written.append(other)
                        .append('(')
                        .append(structs.get(other))
                        .append(')'));
        return written.toString();
    }

    private static byte[] encode(Map<String, String> structs, String type, @Nullable Object value) {
        if (type.endsWith("[]") && value instanceof List<?> items) {
            ByteArrayOutputStream words = new ByteArrayOutputStream();
            items.forEach(item -> words.writeBytes(encode(structs, type.substring(0, type.length() - 2), item)));
            return Hashes.keccak(words.toByteArray());
        }
        if (structs.containsKey(type) && value instanceof Map<?, ?> struct) {
            return hash(structs, type, struct);
        }
        if (type.equals("string") && value instanceof String text) {
            return Hashes.keccak(Bytes.utf8(text));
        }
        return Abi.word(type, value);
    }
}
