package dev.vllmmlx.gateway.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.gateway.bench.TimedBody.Line;
import dev.vllmmlx.gateway.bench.TimedBody.Part;
import io.vertx.core.buffer.Buffer;
import java.util.List;
import org.junit.jupiter.api.Test;

class TimedBodyTest {
  @Test
  void aLineCameWhenItsEndCame() {
    var body =
        new TimedBody(
            200,
            Buffer.buffer("data: a\n\ndata: b\r\ndata: é\n"),
            List.of(new Part(3, 10), new Part(9, 20), new Part(24, 30), new Part(27, 40)));
    assertThat(body.lines())
        .containsExactly(
            new Line("data: a", 20),
            new Line("", 20),
            new Line("data: b", 30),
            new Line("data: é", 40));
  }

  @Test
  void theLastLineNeedsNoEnd() {
    var body = new TimedBody(200, Buffer.buffer("a\nb"), List.of(new Part(1, 10), new Part(3, 20)));
    assertThat(body.lines()).containsExactly(new Line("a", 20), new Line("b", 20));
    assertThat(new TimedBody(200, Buffer.buffer(), List.of()).lines()).isEmpty();
  }
}
