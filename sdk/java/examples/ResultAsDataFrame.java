import insitu.client.Client;
import insitu.client.Execution;
import insitu.client.Insitu;
import insitu.domain.LocalSigner;
import java.nio.file.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * Runs a bought agreement from a Spark driver, and reads its result as a DataFrame. The data itself stays with its owner; Spark sees
 * only what the algorithm wrote.
 *
 * <p>{@code KEY=<64 digits> java -cp … ResultAsDataFrame.java http://127.0.0.1:8030 <agreement> <run> <folder>}
 */
final class ResultAsDataFrame {
    public static void main(String[] arguments) throws InterruptedException {
        Path folder = Path.of(arguments[3]);
        try (Client client = Insitu.connect(arguments[0], LocalSigner.of(System.getenv("KEY")))) {
            Execution execution = client.compute().execute(arguments[1], arguments[2]);
            execution.waitUntilEnded();
            execution.download(folder);
        }
        try (SparkSession spark = SparkSession.builder()
                .master("local[2]")
                .config("spark.ui.enabled", false)
                .getOrCreate()) {
            Dataset<Row> delays = spark.read()
                    .option("header", true)
                    .option("inferSchema", true)
                    .csv(folder.resolve("delays.csv").toString());
            delays.groupBy("carrier")
                    .avg("minutes")
                    .orderBy("carrier")
                    .collectAsList()
                    .forEach(System.out::println);
        }
    }
}
