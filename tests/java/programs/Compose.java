import insitu.domain.Address;
import insitu.domain.Policy;
import insitu.json.Json;
import insitu.json.JsonObject;
import insitu.rules.AlgorithmFiles;
import insitu.rules.ComputeOffer;
import insitu.rules.Description;
import insitu.rules.WorkflowStage;
import java.math.BigInteger;
import java.util.List;
import java.util.Map;

/** Prints what a publisher in Java writes, one line each. */
final class Compose {
    private static final JsonObject IMAGE =
            Json.objectOf(Map.of("image", "insitu/python", "tag", "3.11", "checksum", "sha256:" + "cb".repeat(32)));
    private static final String DID = "did:nv:" + "aa".repeat(32);

    public static void main(String[] arguments) {
        JsonObject server = Json.objectOf(Map.of("serverId", "small", "price", "3"));
        print(ComputeOffer.any(BigInteger.TEN, List.of(IMAGE), List.of(server)).service());
        Address publisher = new Address("0x" + "11".repeat(20));
        print(new ComputeOffer(
                        BigInteger.ZERO,
                        86_401,
                        List.of(),
                        List.of(),
                        List.of(new Policy.Reference(DID, "ab".repeat(32))),
                        List.of(publisher),
                        Json.objectOf(Map.of("maxBytes", 1000, "types", List.of(".csv"))),
                        7L,
                        Json.objectOf(Map.of("failures", "free", "use", "research", "logs", "none")))
                .service());
        print(new ComputeOffer(
                        BigInteger.ONE,
                        3600,
                        List.of(),
                        List.of(),
                        null,
                        List.of(publisher),
                        JsonObject.EMPTY,
                        null,
                        Json.objectOf(Map.of("failures", "free")))
                .service());
        Map<String, byte[]> contents = Map.of("b/\ufb33.py", new byte[] {1}, "b/\ud83d\ude00.csv", new byte[0], "a", new byte[3]);
        print(Json.objectOf(Map.of("files", AlgorithmFiles.describeContents(contents))));
        print(AlgorithmFiles.describeAlgorithm(List.of("my script.PY"), null, IMAGE));
        print(AlgorithmFiles.describeAlgorithm(List.of("compute-entrypoint.sh", "x.py"), null, null));
        print(AlgorithmFiles.describeAlgorithm(List.of("it's.r"), "", null));
        for (String name : List.of("Count.java", "count.JAR", "a.sh", "a.js")) {
            print(AlgorithmFiles.describeAlgorithm(List.of(name), null, null));
        }
        WorkflowStage.Source data = new WorkflowStage.DataSet(DID);
        print(WorkflowStage.describeStages(List.of(
                WorkflowStage.of(DID, "ab".repeat(32), List.of(data), IMAGE),
                new WorkflowStage(
                        DID,
                        "ab".repeat(32),
                        List.of(new WorkflowStage.Previous(0), data),
                        IMAGE,
                        "Filtering",
                        Json.objectOf(Map.of("limit", 10)),
                        Map.of("memory", "2gb", "cpu", "2"),
                        Json.objectOf(Map.of("name", "Result"))))));
        print(Description.attributesOf(IMAGE, "About it", List.of("air"), List.of()));
    }

    private static void print(JsonObject value) {
        System.out.println(Json.text(value));
    }
}
