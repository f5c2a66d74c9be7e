package insitu.receipt;

import insitu.domain.AgreementId;
import insitu.domain.FileDigest;
import insitu.domain.Settlement;
import insitu.domain.Signatures;
import insitu.domain.Terms;
import insitu.internal.Bytes;
import insitu.internal.Hashes;
import insitu.internal.Place;
import insitu.json.Json;
import insitu.json.JsonObject;
import insitu.json.JsonValue;
import insitu.receipt.Statement.Predicate;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a caller may see behind a receipt's hashes: their own inputs, and what is left out if all inputs are theirs.
 *
 * @param inputs the files of inputs
 * @param withheld what the receipt leaves out, as it was sent; null if nothing was
 */
public record Opening(List<Input> inputs, @Nullable JsonObject withheld) {
    private static final Pattern SALT = Pattern.compile("[0-9a-f]{64}");

    /** The files that were mounted for one input of a stage; their sizes are not part of it. */
    public record Input(long stage, long position, String did, String salt, List<FileDigest> files) {}

    /**
     * Reads an opening, as a gateway sends it.
     *
     * @throws insitu.InsituException {@code InvalidDocument} with a pointer
     */
    public static Opening read(JsonValue json) {
        Place root = Place.of(json);
        List<Input> inputs = root.at("inputs").optional(list -> list.list(Opening::input));
        Place withheld = root.at("withheld");
        return new Opening(inputs == null ? List.of() : inputs, withheld.optional(Opening::withheld));
    }

    private static Input input(Place at) {
        return new Input(
                at.at("stage").count(),
                at.at("position").count(),
                at.at("did").text(),
                at.at("salt").matching(SALT, "a salt of 64 hexadecimal digits"),
                at.at("files")
                        .list(file -> new FileDigest(
                                file.at("name").text(), file.at("sha256").text(), 0)));
    }

    private static JsonObject withheld(Place at) {
        at.at("salt").text();
        at.at("reason").optional(StatementReader::reason);
        at.at("stages").list(stage -> {
            stage.at("stage").integer();
            stage.at("exitCode").optional(Place::integer);
            stage.at("reason").optional(StatementReader::reason);
            return StatementReader.usage(stage.at("usage"));
        });
        return at.object();
    }

    /** Returns the checks of an opening that comes with a receipt: its files and details are those committed to. */
    public List<Check> checks(Predicate predicate) {
        List<Check> checks = new ArrayList<>();
        for (Input input : inputs) {
            String what = "the files of " + input.did() + " are those of stage " + input.stage();
            String root = FileDigest.root(input.files(), Bytes.fromHex(input.salt()));
            checks.add(new Check(what, root.equals(rootOf(predicate, input))));
        }
        if (withheld != null) {
            var more = predicate.more();
            String digest = Bytes.digits(Hashes.sha256(Json.canonical(withheld)));
            boolean isCommitted = more != null && digest.equals(more.withheld());
            checks.add(new Check("what was withheld is what the receipt commits to", isCommitted));
        }
        return List.copyOf(checks);
    }

    private static @Nullable String rootOf(Predicate predicate, Input input) {
        return predicate.stages().stream()
                .filter(stage -> stage.index() == input.stage())
                .flatMap(stage -> stage.inputs().stream())
                .filter(stated -> stated.position() == input.position()
                        && input.did().equals(stated.did())
                        && stated.root() != null)
                .map(Statement.Input::root)
                .findFirst()
                .orElse(null);
    }

    /**
     * Returns the checks of a settlement that comes with a receipt: it pays for this execution, signed by the provider.
     *
     * @throws insitu.InsituException {@code SignatureMismatch} if no key can have made its signature
     */
    public static List<Check> ofSettlement(
            VerifiedReceipt receipt, Terms terms, Settlement settlement, String signature) {
        Predicate predicate = receipt.statement().predicate();
        var agreement = predicate.agreement();
        var domain = agreement.domain();
        AgreementId id = predicate.more() == null ? terms.firstFormId(domain) : terms.id(domain);
        byte[] digest = settlement.typedData(agreement.id(), domain).digest();
        var signer = Signatures.recover(digest, signature);
        return List.of(
                new Check("the settlement is for the same agreement", id.equals(agreement.id())),
                new Check("the settlement is for this execution", settlement.index() == predicate.number()),
                new Check(
                        "the settlement names this receipt",
                        Bytes.plainDigits(settlement.receiptHash()).equals(Bytes.plainDigits(receipt.receiptHash()))),
                new Check(
                        "the settlement charges no more than the receipt",
                        settlement.charge().compareTo(predicate.charge().amount()) <= 0),
                new Check("the provider signed the settlement", signer.equals(receipt.signer())));
    }
}
