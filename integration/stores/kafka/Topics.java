import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.StringJoiner;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * `Topics BROKER`: a client of Kafka, which says UP. Then a command in each line of its input, answered by lines that end with
 * DONE or FAILED:
 *   make TOPIC PARTITIONS      makes a topic
 *   read TOPIC                 all its records, as `{HEADERS} VALUE`
 *   watch TOPIC                from now on each record as it comes, behind `NEWS `, between other lines
 */
public class Topics {
  private static PrintStream out;

  public static void main(String[] args) throws Exception {
    out = new PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out), false, StandardCharsets.UTF_8);
    say("UP");
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = input.readLine()) != null; ) {
      String[] word = line.split(" ");
      try {
        switch (word[0]) {
          case "make": make(args[0], word[1], Integer.parseInt(word[2])); break;
          case "read": read(args[0], word[1]); break;
          case "watch": watch(args[0], word[1]); break;
          default: throw new IllegalArgumentException(line);
        }
        say("DONE");
      } catch (Throwable error) {
        say("FAILED " + error);
      }
    }
    System.exit(0); // whoever started it is gone
  }

  private static void make(String broker, String topic, int partitions) throws Exception {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", broker);
    try (Admin admin = Admin.create(properties)) {
      admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get();
    }
  }

  private static KafkaConsumer<byte[], byte[]> open(String broker, String topic) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", broker);
    properties.put("isolation.level", "read_committed");
    properties.put("reconnect.backoff.max.ms", "200");
    KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    List<TopicPartition> parts = new ArrayList<>();
    consumer.partitionsFor(topic).forEach(part -> parts.add(new TopicPartition(topic, part.partition())));
    consumer.assign(parts);
    consumer.seekToBeginning(parts);
    return consumer;
  }

  private static void read(String broker, String topic) {
    try (KafkaConsumer<byte[], byte[]> consumer = open(broker, topic)) {
      Map<TopicPartition, Long> ends = consumer.endOffsets(consumer.assignment());
      while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
        print("", consumer);
      }
    }
  }

  private static void watch(String broker, String topic) {
    KafkaConsumer<byte[], byte[]> consumer = open(broker, topic);
    Thread watcher = new Thread(() -> {
      while (true) print("NEWS ", consumer);
    });
    watcher.setDaemon(true);
    watcher.start();
  }

  private static void print(String before, KafkaConsumer<byte[], byte[]> consumer) {
    StringBuilder lines = new StringBuilder();
    for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
      StringJoiner headers = new StringJoiner(", ", before + "{", "} ");
      for (Header header : record.headers()) headers.add(header.key() + "=" + text(header.value()));
      lines.append(headers).append(text(record.value())).append('\n');
    }
    synchronized (out) {
      out.print(lines);
      out.flush();
    }
  }

  private static String text(byte[] bytes) {
    return bytes == null ? "" : new String(bytes, StandardCharsets.UTF_8);
  }

  private static void say(String line) {
    synchronized (out) {
      out.println(line);
      out.flush();
    }
  }
}
