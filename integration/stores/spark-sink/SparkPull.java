import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.avro.ipc.NettyTransceiver;
import org.apache.avro.ipc.specific.SpecificRequestor;
import org.apache.spark.streaming.flume.sink.EventBatch;
import org.apache.spark.streaming.flume.sink.SparkFlumeProtocol;
import org.apache.spark.streaming.flume.sink.SparkSinkEvent;

/** `SparkPull PORT`: as a stream of Spark does. `ack N` and `nack N` pull N events at most, print them, and say so. */
public class SparkPull {
  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    NettyTransceiver to = new NettyTransceiver(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])));
    SparkFlumeProtocol sink = SpecificRequestor.getClient(SparkFlumeProtocol.class, to);
    System.out.println("UP");
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] words = line.split(" ");
      EventBatch batch = sink.getEventBatch(Integer.parseInt(words[1]));
      if (batch.getErrorMsg().length() > 0) {
        System.out.println("FAILED " + batch.getErrorMsg());
        continue;
      }
      for (SparkSinkEvent event : batch.getEvents()) {
        ByteBuffer body = event.getBody();
        byte[] bytes = new byte[body.remaining()];
        body.get(bytes);
        System.out.println(new String(bytes, StandardCharsets.UTF_8));
      }
      if (words[0].equals("ack")) {
        sink.ack(batch.getSequenceNumber());
      } else {
        sink.nack(batch.getSequenceNumber());
      }
      System.out.println("DONE");
    }
    to.close();
  }
}
