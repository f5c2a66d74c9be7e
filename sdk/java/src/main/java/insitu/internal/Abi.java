package insitu.internal;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.Address;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Values as contracts take and return them, in the types that the contracts of this system have.
 *
 * <p>Numbers are {@link Integer}, {@link Long} or {@link BigInteger}, accounts {@link Address}, other bytes text of 0x and
 * hexadecimal digits, lists and structs {@link List}.
 */
public final class Abi {
    private static final int WORD = 32;

    private Abi() {}

    /** Returns the data of a call: the beginning of the hash of the function's signature, and its arguments. */
    public static byte[] call(String signature, List<?> values) {
        return Bytes.concat(selector(signature), encode(typesOf(signature), values));
    }

    /** Returns the first 4 bytes of the hash of a signature, which choose the function in a call. */
    public static byte[] selector(String signature) {
        return Arrays.copyOf(Hashes.keccak(Bytes.utf8(signature)), 4);
    }

    /** Returns values one after the other; where one may be of any length, its place is there and it is behind them. */
    static byte[] encode(List<String> types, List<?> values) {
        if (types.size() != values.size()) {
            throw new IllegalArgumentException(types.size() + " values are needed, not " + values.size());
        }
        List<byte[]> parts = new ArrayList<>();
        int heads = 0;
        for (String type : types) {
            byte[] part = encodeOne(type, values.get(parts.size()));
            parts.add(part);
            heads += isDynamic(type) ? WORD : part.length;
        }
        ByteArrayOutputStream head = new ByteArrayOutputStream();
        ByteArrayOutputStream tail = new ByteArrayOutputStream();
        for (int at = 0; at < parts.size(); at++) {
            if (isDynamic(types.get(at))) {
                head.writeBytes(Bytes.word(heads + tail.size()));
                tail.writeBytes(parts.get(at));
            } else {
                head.writeBytes(parts.get(at));
            }
        }
        return Bytes.concat(head.toByteArray(), tail.toByteArray());
    }

    private static byte[] encodeOne(String type, Object value) {
        if (type.endsWith("[]") && value instanceof List<?> items) {
            List<String> types = Collections.nCopies(items.size(), itemOf(type));
            return Bytes.concat(Bytes.word(items.size()), encode(types, items));
        }
        if (type.startsWith("(") && value instanceof List<?> members) {
            return encode(typesOf(type), members);
        }
        if ((type.equals("string") || type.equals("bytes")) && value instanceof String text) {
            byte[] bytes = type.equals("string") ? Bytes.utf8(text) : Bytes.fromHex(text);
            return Bytes.concat(Bytes.word(bytes.length), Bytes.padEnd(bytes));
        }
        return word(type, value);
    }

    /**
     * Returns a number, account, flag or bytes32 as a word of 32 bytes.
     *
     * @throws IllegalArgumentException if the value does not fit the type
     */
    public static byte[] word(String type, @Nullable Object value) {
        if (type.equals("address") && value instanceof Address address) {
            return Bytes.padStart(address.bytes());
        }
        if (type.equals("bytes32") && value instanceof String text && text.length() == 66) {
            return Bytes.fromHex(text);
        }
        if (type.equals("bool") && value instanceof Boolean flag) {
            return Bytes.word(flag ? 1 : 0);
        }
        if (type.startsWith("uint") && value instanceof Number number) {
            BigInteger whole = value instanceof BigInteger big ? big : BigInteger.valueOf(number.longValue());
            if (whole.bitLength() <= Integer.parseInt(type.substring("uint".length()))) {
                return Bytes.word(whole);
            }
        }
        throw new IllegalArgumentException("a value of the type " + type + " is missing or does not fit");
    }

    private static boolean isDynamic(String type) {
        return type.endsWith("[]")
                || type.equals("string")
                || type.equals("bytes")
                || (type.startsWith("(") && typesOf(type).stream().anyMatch(Abi::isDynamic));
    }

    private static String itemOf(String type) {
        return type.substring(0, type.length() - "[]".length());
    }

    /** Returns the types between the outer brackets of {@code refund((bytes32,address[]),bytes)}. */
    static List<String> typesOf(String signature) {
        List<String> found = new ArrayList<>();
        int depth = 0;
        int start = signature.indexOf('(') + 1;
        for (int at = start; at < signature.length(); at++) {
            char character = signature.charAt(at);
            boolean isEnd = depth == 0 && (character == ',' || character == ')');
            if (isEnd && at > start) {
                found.add(signature.substring(start, at));
            }
            start = isEnd ? at + 1 : start;
            depth += character == '(' ? 1 : character == ')' ? -1 : 0;
        }
        return found;
    }

    /**
     * Reads what a contract returned: numbers as {@link BigInteger}, and otherwise the types that are encoded.
     *
     * @throws InsituException {@code ChainUnavailable} if it is cut off, or says that it is longer than it is
     */
    public static List<Object> decode(List<String> types, byte[] data) {
        List<Object> values = new ArrayList<>();
        int head = 0;
        for (String type : types) {
            int start = isDynamic(type) ? lengthAt(data, head) : Math.min(head, data.length);
            // Of a word only itself is copied: a long list would be copied once for each of its items.
            int end = isDynamic(type) ? data.length : Math.min(head + lengthOf(type), data.length);
            values.add(decodeOne(type, Arrays.copyOfRange(data, start, end)));
            head += lengthOf(type);
        }
        return List.copyOf(values);
    }

    private static int lengthOf(String type) {
        return isDynamic(type) || !type.startsWith("(")
                ? WORD
                : typesOf(type).stream().mapToInt(Abi::lengthOf).sum();
    }

    private static Object decodeOne(String type, byte[] data) {
        if (type.startsWith("(") && !type.endsWith("[]")) {
            return decode(typesOf(type), data);
        }
        if (isDynamic(type)) {
            int length = lengthAt(data, 0);
            byte[] content = Arrays.copyOfRange(data, WORD, data.length);
            if (length > content.length / (type.endsWith("[]") ? WORD : 1)) {
                throw cutOff();
            }
            if (type.endsWith("[]")) {
                return decode(Collections.nCopies(length, itemOf(type)), content);
            }
            byte[] bytes = Arrays.copyOf(content, length);
            return type.equals("string") ? new String(bytes, StandardCharsets.UTF_8) : Bytes.hex(bytes);
        }
        byte[] word = wordAt(data, 0);
        BigInteger number = new BigInteger(1, word);
        return switch (type) {
            case "bool" -> number.signum() != 0;
            case "address" -> Address.of(Arrays.copyOfRange(word, 12, WORD));
            default -> type.startsWith("bytes") ? Bytes.hex(word) : number;
        };
    }

    private static byte[] wordAt(byte[] data, int at) {
        if (at > data.length - WORD) {
            throw cutOff();
        }
        return Arrays.copyOfRange(data, at, at + WORD);
    }

    private static int lengthAt(byte[] data, int at) {
        BigInteger length = new BigInteger(1, wordAt(data, at));
        if (length.compareTo(BigInteger.valueOf(data.length)) > 0) {
            throw cutOff();
        }
        return length.intValue();
    }

    private static InsituException cutOff() {
        return new InsituException(ErrorCode.ChainUnavailable, "the answer of the contract is cut off");
    }
}
