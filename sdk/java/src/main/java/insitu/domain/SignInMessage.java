package insitu.domain;

import insitu.ErrorCode;
import insitu.InsituException;
import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a browser wallet shows and signs to sign in (ERC-4361). Times are those of RFC 3339, as they are written.
 *
 * @param scheme of the page that asks; null is https
 * @param domain the host of the page that asks; the wallet compares it with the page
 * @param address the account
 * @param statement what is said to people
 * @param uri the token endpoint of the gateway
 * @param chainId the chain
 * @param nonce 8 to 128 letters and digits
 * @param issuedAt when it was written
 * @param expirationTime at most 10 minutes later
 * @param notBefore from when it counts
 * @param requestId what the page calls it
 * @param resources the audiences that the session is for
 */
public record SignInMessage(
        @Nullable String scheme,
        String domain,
        Address address,
        @Nullable String statement,
        String uri,
        long chainId,
        String nonce,
        String issuedAt,
        String expirationTime,
        @Nullable String notBefore,
        @Nullable String requestId,
        List<String> resources) {
    private static final int MAX_LENGTH = 8192;
    private static final String TIME =
            "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d{1,9})?(?:Z|[+-]\\d\\d:\\d\\d)";
    private static final Pattern FORM = Pattern.compile(
            "(?:(?<scheme>https?)://)?(?<domain>[A-Za-z0-9.:\\[\\]-]+) wants you to sign in with your Ethereum account:\n"
                    + "(?<address>0x[0-9a-fA-F]{40})\n\n(?:(?<statement>[ -~]+)\n)?\n"
                    + "URI: (?<uri>[!-~]+)\nVersion: 1\nChain ID: (?<chainId>\\d{1,18})\n"
                    + "Nonce: (?<nonce>[A-Za-z0-9]{8,128})\n"
                    + "Issued At: (?<issuedAt>" + TIME + ")\nExpiration Time: (?<expirationTime>" + TIME + ")"
                    + "(?:\nNot Before: (?<notBefore>" + TIME + "))?(?:\nRequest ID: (?<requestId>[!-~]*))?"
                    + "\nResources:(?<resources>\n- [ -~\n]+)");
    private static final Pattern RESOURCE = Pattern.compile("[!-~]+");

    public SignInMessage {
        resources = List.copyOf(resources);
    }

    /** Returns the text that the wallet signs. */
    public String render() {
        return (scheme == null ? "" : scheme + "://")
                + domain + " wants you to sign in with your Ethereum account:\n"
                + address + "\n\n"
                + (statement == null ? "" : statement + "\n")
                + "\nURI: " + uri
                + "\nVersion: 1"
                + "\nChain ID: " + chainId
                + "\nNonce: " + nonce
                + "\nIssued At: " + issuedAt
                + "\nExpiration Time: " + expirationTime
                + (notBefore == null ? "" : "\nNot Before: " + notBefore)
                + (requestId == null ? "" : "\nRequest ID: " + requestId)
                + "\nResources:\n- " + String.join("\n- ", resources);
    }

    /** Reads a message. Throws {@code InvalidToken} for any text that is not exactly what its own fields render to. */
    public static SignInMessage read(String text) {
        Matcher fields = FORM.matcher(text);
        if (text.length() > MAX_LENGTH || !fields.matches()) {
            throw invalid("the message is not one of ERC-4361 with both times and Resources");
        }
        SignInMessage message = new SignInMessage(
                fields.group("scheme"),
                fields.group("domain"),
                new Address(fields.group("address")),
                fields.group("statement"),
                fields.group("uri"),
                Long.parseLong(fields.group("chainId")),
                fields.group("nonce"),
                time(fields.group("issuedAt")),
                time(fields.group("expirationTime")),
                fields.group("notBefore") == null ? null : time(fields.group("notBefore")),
                fields.group("requestId"),
                Arrays.asList(fields.group("resources").substring(3).split("\n- ", -1)));
        boolean isPlain = message.resources.stream().allMatch(RESOURCE.asMatchPredicate());
        if (!isPlain || !message.render().equals(text)) {
            throw invalid("the message is not in its canonical form (EIP-55 address, plain numbers)");
        }
        return message;
    }

    private static String time(String text) {
        try {
            OffsetDateTime.parse(text);
            return text;
        } catch (DateTimeException notATime) {
            throw invalid(text + " is not a time");
        }
    }

    private static InsituException invalid(String detail) {
        return new InsituException(ErrorCode.InvalidToken, detail);
    }
}
