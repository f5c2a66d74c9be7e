package insitu.internal;

import insitu.ErrorCode;
import insitu.ErrorDefinition;
import insitu.InsituException;
import insitu.Violation;
import insitu.domain.Address;
import insitu.domain.Money;
import insitu.json.Json;
import insitu.json.JsonArray;
import insitu.json.JsonBoolean;
import insitu.json.JsonNull;
import insitu.json.JsonNumber;
import insitu.json.JsonObject;
import insitu.json.JsonString;
import insitu.json.JsonValue;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A place in JSON that is read as something, or refused with {@code InvalidDocument} and a pointer to it.
 *
 * <p>In a document that is read strictly, a member that nobody knows is refused. An absent member has the value null.
 *
 * @param refused null, or the list that gets what members and items are refused for, so that the others are read too:
 *     then what is read must not be used
 */
public record Place(
        @Nullable JsonValue value,
        String pointer,
        boolean isStrict,
        @Nullable List<Violation> refused) {
    /** The most problems that are kept: nobody reads more, and a hostile document must not cause a huge list. */
    public static final int MOST_PROBLEMS = 100;

    private static final Pattern INDEX = Pattern.compile("[0-9]{1,9}");
    private static final long UINT32 = (1L << 32) - 1;
    private static final Pattern AMOUNT = Pattern.compile("[0-9]{1,78}");
    private static final Pattern ADDRESS = Pattern.compile("0x[0-9a-fA-F]{40}");
    private static final int AMOUNT_BITS = 256;

    /** Returns the root of a document in which unknown members are ignored. */
    public static Place of(JsonValue value) {
        return new Place(value, "", false, null);
    }

    /** Returns the root of a document in which unknown members are refused. */
    public static Place strictly(JsonValue value) {
        return new Place(value, "", true, null);
    }

    /** Returns the refusal of this place. */
    public InsituException refusal(String message) {
        return refusal("WrongType", message);
    }

    /** Returns the refusal of this place by a rule. */
    public InsituException refusal(String rule, String message) {
        Violation violation = new Violation(pointer, rule, message);
        ErrorDefinition definition = ErrorDefinition.of(ErrorCode.InvalidDocument);
        return new InsituException(definition, message, pointer, List.of(violation), Map.of(), null);
    }

    /** Returns whether nothing is here, not even null. */
    public boolean isAbsent() {
        return value == null;
    }

    /** Returns this place, whose object has no other members than these if it is read strictly. */
    public Place object(String... members) {
        Set<String> known = Set.of(members);
        for (String name : object().members().keySet()) {
            if (isStrict && !known.contains(name)) {
                throw below(name, null).refusal("nobody knows this member");
            }
        }
        return this;
    }

    /** Returns any object. */
    public JsonObject object() {
        if (value instanceof JsonObject object) {
            return object;
        }
        throw refusal("an object is needed");
    }

    /** Returns the place of a member of this object. */
    public Place at(String name) {
        return below(name, object().get(name));
    }

    private Place below(String segment, @Nullable JsonValue found) {
        return new Place(found, pointer + "/" + Json.pointerSegment(segment), isStrict, refused);
    }

    /** Returns text. */
    public String text() {
        if (value instanceof JsonString text) {
            return text.value();
        }
        throw refusal("text is needed");
    }

    /** Returns text that must be there. */
    public String needed() {
        return attempt("", Place::neededText);
    }

    private String neededText() {
        if (value == null) {
            throw refusal("Required", "it is needed");
        }
        return text();
    }

    /** Returns text that a pattern describes as a whole. */
    public String matching(Pattern pattern, String what) {
        if (value instanceof JsonString text && pattern.matcher(text.value()).matches()) {
            return text.value();
        }
        throw refusal(what + " is needed");
    }

    /** Returns one of a few texts. */
    public String oneOf(String... allowed) {
        if (value instanceof JsonString text && List.of(allowed).contains(text.value())) {
            return text.value();
        }
        throw refusal("one of " + String.join(", ", allowed) + " is needed");
    }

    /** Returns a whole number within bounds; both belong to it. */
    public long integer(long least, long most) {
        if (value instanceof JsonNumber number
                && number.isInteger()
                && number.value() >= least
                && number.value() <= most) {
            return (long) number.value();
        }
        throw refusal("a whole number from " + least + " to " + most + " is needed");
    }

    /** Returns any whole number. */
    public long integer() {
        return integer(-JsonNumber.MAX, JsonNumber.MAX);
    }

    /** Returns a whole number from 0. */
    public long count() {
        return integer(0, JsonNumber.MAX);
    }

    /** Returns the index of a service, stage or file; older documents write it as text of digits. */
    public Long index() {
        return value instanceof JsonString text && INDEX.matcher(text.value()).matches()
                ? Long.valueOf(text.value())
                : Long.valueOf(integer(0, UINT32));
    }

    /** Returns any number. */
    public double decimal() {
        if (value instanceof JsonNumber number) {
            return number.value();
        }
        throw refusal("a number is needed");
    }

    /** Returns an address in any case. */
    public Address address() {
        if (!ADDRESS.matcher(text()).matches()) {
            throw refusal("WrongFormat", "an address is needed");
        }
        return new Address(text());
    }

    /** Returns true or false. */
    public boolean flag() {
        if (value instanceof JsonBoolean flag) {
            return flag.value();
        }
        throw refusal("true or false is needed");
    }

    /** Returns text, a number, or true or false, as it is. */
    public JsonValue scalar() {
        if (value instanceof JsonString || value instanceof JsonNumber || value instanceof JsonBoolean) {
            return value;
        }
        throw refusal("text, a number, or true or false is needed");
    }

    /** Returns an amount in base units, up to 2^256 - 1: text of digits. */
    public BigInteger amount() {
        String refused = "text of digits is needed, in base units";
        if (!(value instanceof JsonString text) || !AMOUNT.matcher(text.value()).matches()) {
            throw refusal(refused);
        }
        BigInteger amount = new BigInteger(text.value());
        if (amount.bitLength() > AMOUNT_BITS) {
            throw refusal(refused);
        }
        return amount;
    }

    /** Returns an amount of a document in base units, up to 2^128 - 1: text of digits, or a whole number. */
    public BigInteger documentAmount() {
        try {
            return Money.parseAmount(value);
        } catch (InsituException refusal) {
            throw refusal("WrongFormat", refusal.detail());
        }
    }

    /** Returns a quantity: text, or a bare number in older documents. */
    public String quantity() {
        return value instanceof JsonNumber number && number.isInteger() ? Long.toString((long) number.value()) : text();
    }

    /** Reads a value that may be absent or null: then the answer is null. */
    public <T> @Nullable T optional(Function<Place, T> read) {
        return value == null || value == JsonNull.NULL ? null : attempt(null, read);
    }

    /** Reads a value that may be absent: then the other one counts. Null is not absent. */
    public <T> T orElse(T instead, Function<Place, T> read) {
        return value == null ? instead : attempt(instead, read);
    }

    /** Reads a value that may be absent: then it is read as an empty object, which must be readable. */
    public <T> T orEmpty(Function<Place, T> read) {
        T empty = read.apply(new Place(JsonObject.EMPTY, pointer, isStrict, refused));
        return orElse(empty, read);
    }

    private <T extends @Nullable Object> T attempt(T instead, Function<Place, ? extends T> read) {
        if (refused == null) {
            return read.apply(this);
        }
        try {
            return read.apply(this);
        } catch (InsituException refusal) {
            int room = MOST_PROBLEMS - refused.size();
            refused.addAll(refusal.problems()
                    .subList(0, Math.min(room, refusal.problems().size())));
            return instead;
        }
    }

    /** Reads a list. */
    public <T> List<T> list(Function<Place, T> read) {
        return list(0, Integer.MAX_VALUE, read);
    }

    /** Reads a list of so many items. */
    public <T> List<T> list(int least, int most, Function<Place, T> read) {
        if (!(value instanceof JsonArray array)) {
            throw refusal("a list is needed");
        }
        if (array.items().size() < least || array.items().size() > most) {
            throw refusal("from " + least + " to " + most + " entries are needed");
        }
        List<T> items = new ArrayList<>();
        for (int at = 0; at < array.items().size(); at++) {
            T item = below(Integer.toString(at), array.items().get(at)).attempt(null, read);
            if (item != null) {
                items.add(item);
            }
        }
        return List.copyOf(items);
    }

    /** Reads an object whose members are all alike. */
    public <T> Map<String, T> map(Function<Place, T> read) {
        Map<String, T> members = new LinkedHashMap<>();
        object().members().forEach((name, member) -> {
            T item = below(name, member).attempt(null, read);
            if (item != null) {
                members.put(name, item);
            }
        });
        return members;
    }
}
