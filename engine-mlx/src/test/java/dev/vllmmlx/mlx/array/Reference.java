package dev.vllmmlx.mlx.array;

/** The primitives in float64, one plain loop each. */
final class Reference {

  private Reference() {}

  /** {@code x [rows, inputs]} times the transpose of {@code w [outputs, inputs]}. */
  static double[] product(double[] x, double[] w, int rows, int outputs, int inputs) {
    var y = new double[rows * outputs];
    for (var r = 0; r < rows; r++) {
      for (var o = 0; o < outputs; o++) {
        for (var i = 0; i < inputs; i++) {
          y[r * outputs + o] += x[r * inputs + i] * w[o * inputs + i];
        }
      }
    }
    return y;
  }

  /**
   * {@code scale * q + bias}: the q of a row lie bit by bit one after the other, from the lowest
   * bit up.
   */
  static double[] unpacked(Mlx.Quantized q, int group, int bits) {
    var outputs = q.scales().dim(0);
    var groups = q.scales().dim(1);
    var scales = q.scales().toFloats();
    var biases = q.biases().toFloats();
    var words = q.weight().toLongs();
    var inputs = groups * group;
    var wordsInRow = inputs * bits / 32;
    var w = new double[outputs * inputs];
    for (var o = 0; o < outputs; o++) {
      for (var i = 0; i < inputs; i++) {
        var value = 0;
        for (var b = 0; b < bits; b++) {
          var at = i * bits + b;
          var bit = words[o * wordsInRow + at / 32] >> (at % 32) & 1;
          value |= (int) bit << b;
        }
        var g = o * groups + i / group;
        w[o * inputs + i] = (double) scales[g] * value + biases[g];
      }
    }
    return w;
  }

  static double[] rmsNorm(double[] x, double[] weight, double eps) {
    var size = weight.length;
    var y = new double[x.length];
    for (var row = 0; row < x.length; row += size) {
      var squares = 0.0;
      for (var i = 0; i < size; i++) {
        squares += x[row + i] * x[row + i];
      }
      for (var i = 0; i < size; i++) {
        y[row + i] = x[row + i] / Math.sqrt(squares / size + eps) * weight[i];
      }
    }
    return y;
  }

  static double[] gated(Activation activation, double[] gate, double[] up) {
    var y = new double[gate.length];
    for (var i = 0; i < gate.length; i++) {
      var v = gate[i];
      var activated =
          switch (activation) {
            case SILU -> v / (1 + Math.exp(-v));
            case GELU ->
                0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v * v * v)));
          };
      y[i] = activated * up[i];
    }
    return y;
  }

  /** {@code x [..., rows, head]}, of which {@code dims} elements of a head turn. */
  static double[] rope(
      double[] x,
      int rows,
      int head,
      int dims,
      boolean traditional,
      double base,
      double scale,
      int offset) {
    var y = x.clone();
    for (var at = 0; at < x.length; at += head) {
      var position = scale * (offset + at / head % rows);
      for (var i = 0; i < dims / 2; i++) {
        var angle = position * Math.pow(base, -2.0 * i / dims);
        var a = at + (traditional ? 2 * i : i);
        var b = at + (traditional ? 2 * i + 1 : i + dims / 2);
        y[a] = x[a] * Math.cos(angle) - x[b] * Math.sin(angle);
        y[b] = x[a] * Math.sin(angle) + x[b] * Math.cos(angle);
      }
    }
    return y;
  }

  /** {@code q [batch, heads, rows, dims]}, {@code k} and {@code v [batch, kvHeads, keys, dims]}. */
  static double[] attention(
      double[] q,
      double[] k,
      double[] v,
      int batch,
      int heads,
      int kvHeads,
      int rows,
      int keys,
      int dims,
      double scale,
      boolean causal) {
    var y = new double[q.length];
    for (var b = 0; b < batch; b++) {
      for (var h = 0; h < heads; h++) {
        var kv = (b * kvHeads + h / (heads / kvHeads)) * keys * dims;
        for (var r = 0; r < rows; r++) {
          var at = ((b * heads + h) * rows + r) * dims;
          var seen = causal ? keys - rows + r + 1 : keys;
          var weights = new double[seen];
          var total = 0.0;
          for (var j = 0; j < seen; j++) {
            var score = 0.0;
            for (var d = 0; d < dims; d++) {
              score += q[at + d] * k[kv + j * dims + d];
            }
            weights[j] = Math.exp(score * scale);
            total += weights[j];
          }
          for (var j = 0; j < seen; j++) {
            for (var d = 0; d < dims; d++) {
              y[at + d] += weights[j] / total * v[kv + j * dims + d];
            }
          }
        }
      }
    }
    return y;
  }
}
