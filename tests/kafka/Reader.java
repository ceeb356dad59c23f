// Reads a topic from its beginning to its present end with Apache's own client and prints one JSON object for each record:
// the view from outside, by a client that shares no code with ours. The first line says how many partitions there are.
//
// java -cp 'target/kafka/lib/*' tests/kafka/Reader.java BOOTSTRAP TOPIC

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.utils.Utils;

public class Reader {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] arguments) {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", arguments[0]);
        settings.put("enable.auto.commit", "false");
        settings.put("isolation.level", "read_committed");
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        ByteArrayDeserializer bytes = new ByteArrayDeserializer();
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings, bytes, bytes)) {
            List<TopicPartition> partitions = consumer.partitionsFor(arguments[1]).stream()
                    .map(info -> new TopicPartition(info.topic(), info.partition()))
                    .toList();
            out.println("{\"partitions\":" + partitions.size() + "}");
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
                    out.println(line(record, partitions.size()));
                }
            }
        }
        out.flush();
    }

    /** Where the record lies, where its key belongs by the default partitioner of Java clients, and all of its content. */
    private static String line(ConsumerRecord<byte[], byte[]> record, int partitions) {
        ObjectNode line = JSON.createObjectNode();
        line.put("partition", record.partition());
        line.put("offset", record.offset());
        if (record.key() != null) {
            line.put("belongs", Utils.toPositive(Utils.murmur2(record.key())) % partitions);
            line.put("key", new String(record.key(), StandardCharsets.UTF_8));
        }
        if (record.value() != null) {
            line.put("value", new String(record.value(), StandardCharsets.UTF_8));
        }
        var headers = line.putArray("headers");
        for (Header header : record.headers()) {
            headers.addArray().add(header.key()).add(new String(header.value(), StandardCharsets.UTF_8));
        }
        return line.toString();
    }
}
