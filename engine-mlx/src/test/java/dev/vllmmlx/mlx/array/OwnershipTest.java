package dev.vllmmlx.mlx.array;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Who owns arrays, when they are freed, and what is refused. */
class OwnershipTest {

  @Test
  void freesArraysWithTheirScope() {
    MlxThread.run(
        () -> {
          var before = MemoryStatus.now().liveHandles();
          try (var scope = Mlx.scope()) {
            var a = Mlx.add(Mlx.array(new float[] {1, 2}), 1);
            assertThat(scope.size()).isEqualTo(2);
            assertThat(MemoryStatus.now().liveHandles()).isEqualTo(before + 2);
            assertThat(a.toFloats()).containsExactly(2, 3);
          }
          assertThat(MemoryStatus.now().liveHandles()).isEqualTo(before);
          return null;
        });
  }

  @Test
  void refusesAnArrayOfAClosedScope() {
    MlxThread.run(
        () -> {
          Array a;
          try (var ignored = Mlx.scope()) {
            a = Mlx.array(new float[] {1, 2});
          }
          var b = Mlx.array(new float[] {1, 2});
          var gone = a;
          assertThatThrownBy(() -> Mlx.add(gone, b)).isInstanceOf(IllegalStateException.class);
          assertThatThrownBy(() -> Mlx.add(b, gone)).isInstanceOf(IllegalStateException.class);
          assertThatThrownBy(gone::shape).isInstanceOf(IllegalStateException.class);
          assertThatThrownBy(gone::toFloats).isInstanceOf(IllegalStateException.class);
          assertThatThrownBy(gone::free).isInstanceOf(IllegalStateException.class);
          assertThatThrownBy(() -> Mlx.eval(gone)).isInstanceOf(IllegalStateException.class);
          try (var open = Mlx.scope()) {
            assertThatThrownBy(() -> open.keep(gone)).isInstanceOf(IllegalStateException.class);
          }
          assertThat(gone).hasToString("Array[freed]");
          return null;
        });
    assertThat(MemoryStatus.now().liveHandles()).isZero();
  }

  @Test
  void keepsAnArrayInAnotherScope() {
    MlxThread.run(
        () -> {
          var weights = Mlx.detachedScope();
          Array kept;
          Array escaped;
          try (var ignored = Mlx.scope()) {
            var a = Mlx.array(new float[] {1, 2});
            kept = weights.keep(Mlx.multiply(a, 3));
            try (var inner = Mlx.scope()) {
              escaped = Mlx.add(a, 1).escape();
              assertThat(inner.size()).isZero();
            }
            assertThat(escaped.toFloats()).containsExactly(2, 3);
          }
          assertThatThrownBy(escaped::toFloats).isInstanceOf(IllegalStateException.class);
          assertThat(kept.toFloats()).containsExactly(3, 6);
          weights.close();
          weights.close();
          assertThatThrownBy(kept::toFloats).isInstanceOf(IllegalStateException.class);
          assertThatThrownBy(() -> weights.keep(Mlx.array(new int[1])))
              .isInstanceOf(IllegalStateException.class);
          return null;
        });
  }

  @Test
  void replacesACachesState() {
    MlxThread.run(
        () -> {
          var before = MemoryStatus.now().liveHandles();
          try (var cache = Mlx.detachedScope()) {
            Array state = null;
            for (var step = 0; step < 100; step++) {
              try (var ignored = Mlx.scope()) {
                var next = Mlx.array(new float[] {step});
                state = cache.replace(state, state == null ? next : Mlx.add(state, next));
                Mlx.eval(state);
              }
              assertThat(cache.size()).isOne();
            }
            assertThat(state.item()).isEqualTo(4950);
          }
          assertThat(MemoryStatus.now().liveHandles()).isEqualTo(before);
          return null;
        });
  }

  @Test
  void giveOnlyTheResultOfAScopedBody() {
    MlxThread.run(
        () -> {
          try (var scope = Mlx.scope()) {
            var y = Mlx.scoped(() -> Mlx.add(Mlx.multiply(Mlx.array(new float[] {2}), 3), 1));
            assertThat(y.item()).isEqualTo(7);
            assertThat(scope.size()).isOne();
          }
          return null;
        });
  }

  @Test
  void refusesToCloseAnOuterScopeFirst() {
    MlxThread.run(
        () -> {
          try (var outer = Mlx.scope();
              var inner = Mlx.scope()) {
            assertThatThrownBy(outer::close).isInstanceOf(IllegalStateException.class);
            assertThat(inner.size()).isZero();
          }
          return null;
        });
  }

  @Test
  void freesAnArrayByHandAndOthersStay() {
    MlxThread.run(
        () -> {
          try (var scope = Mlx.scope()) {
            var a = Mlx.array(new float[] {1});
            var b = Mlx.array(new float[] {2});
            var c = Mlx.array(new float[] {3});
            a.free();
            assertThat(scope.size()).isEqualTo(2);
            assertThat(b.item() + c.item()).isEqualTo(5);
            c.free();
            b.free();
            assertThat(scope.size()).isZero();
          }
          return null;
        });
  }

  @Test
  void refusesAnyOtherThread() {
    var escaped = new AtomicReference<Array>();
    var scope = new AtomicReference<Scope>();
    try (var mlx = MlxThread.start("owner");
        var other = MlxThread.start("other")) {
      mlx.call(
          () -> {
            scope.set(Mlx.detachedScope());
            escaped.set(scope.get().keep(Mlx.array(new float[] {1})));
            return null;
          });
      var a = escaped.get();
      assertThatThrownBy(() -> Mlx.add(a, a))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("MlxThread");
      assertThatThrownBy(a::shape).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(a::view).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(a::free).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(Mlx::scope).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> scope.get().close()).isInstanceOf(IllegalStateException.class);
      for (var use :
          List.<Runnable>of(
              () -> Mlx.add(a, a),
              a::shape,
              a::toFloats,
              a::free,
              () -> Mlx.eval(a),
              () -> scope.get().close(),
              () -> Mlx.concatenate(List.of(a), 0))) {
        assertThatThrownBy(
                () ->
                    other.call(
                        () -> {
                          use.run();
                          return null;
                        }))
            .isInstanceOf(IllegalStateException.class);
      }
      assertThat(mlx.call(a::item)).isEqualTo(1);
    }
  }

  @Test
  void saysWhatMlxSays() {
    MlxThread.run(
        () -> {
          var a = Mlx.zeros(DType.FLOAT32, 2, 3);
          assertThatThrownBy(() -> Mlx.matmul(a, a))
              .isInstanceOf(MlxException.class)
              .hasMessageContaining("[matmul]")
              .hasMessageContaining("(2,3)");
          assertThatThrownBy(() -> Mlx.reshape(a, 4, 4))
              .isInstanceOf(MlxException.class)
              .hasMessageContaining("reshape");
          assertThatThrownBy(() -> Mlx.array(new float[3], 2, 2)).isInstanceOf(MlxException.class);
          assertThatThrownBy(() -> Mlx.linear(a, Mlx.zeros(DType.FLOAT32, 2, 5)))
              .isInstanceOf(MlxException.class);
          assertThatThrownBy(() -> Mlx.slice(a, 2, 0, 1)).isInstanceOf(MlxException.class);
          var q = Mlx.quantize(Mlx.zeros(DType.FLOAT32, 4, 64), 32, 4);
          assertThatThrownBy(
                  () ->
                      Mlx.quantizedMatmul(
                          Mlx.zeros(DType.FLOAT32, 1, 32),
                          q.weight(),
                          q.scales(),
                          q.biases(),
                          true,
                          32,
                          4))
              .isInstanceOf(MlxException.class)
              .hasMessageContaining("[quantized_matmul]");
          return null;
        });
  }

  @Test
  void leaksNothingInThousandsOfOperationsThatWorkOrThrow() {
    MlxThread.run(
        () -> {
          for (var i = 0; i < 3000; i++) {
            try (var ignored = Mlx.scope()) {
              var a = Mlx.array(new float[] {1, 2, 3, 4}, 2, 2);
              var parts = Mlx.split(a, 2, 1);
              Mlx.eval(Mlx.add(parts.get(0), parts.get(1)));
              Mlx.concatenate(parts, 0);
              assertThatThrownBy(() -> Mlx.reshape(a, 3)).isInstanceOf(MlxException.class);
              assertThatThrownBy(() -> Mlx.split(a, 3, 0)).isInstanceOf(MlxException.class);
            }
          }
          assertThat(MemoryStatus.now().liveHandles()).isZero();
          assertThat(MemoryStatus.now().activeBytes()).isZero();
          return null;
        });
  }

  @Test
  void showsDataWithoutACopyUntilTheScopeCloses() {
    MlxThread.run(
        () -> {
          var a = Mlx.array(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
          MemorySegment view;
          try (var ignored = Mlx.scope()) {
            view = a.view();
            assertThat(view.byteSize()).isEqualTo(24);
            assertThat(view.address()).isEqualTo(a.view().address());
            assertThat(view.getAtIndex(ValueLayout.JAVA_FLOAT, 4)).isEqualTo(5);
            assertThat(view.isReadOnly()).isTrue();
            var turned = Mlx.transpose(a).view();
            assertThat(turned.toArray(ValueLayout.JAVA_FLOAT)).containsExactly(1, 4, 2, 5, 3, 6);
          }
          assertThatThrownBy(() -> view.getAtIndex(ValueLayout.JAVA_FLOAT, 0))
              .isInstanceOf(IllegalStateException.class);
          assertThat(a.toFloats()).hasSize(6);
          assertThat(Mlx.zeros(DType.FLOAT32, 0, 3).toFloats()).isEmpty();
          return null;
        });
  }

  @Test
  void copiesToAndFromMemoryOfJava() {
    MlxThread.run(
        () -> {
          try (var arena = Arena.ofConfined()) {
            var data = arena.allocateFrom(ValueLayout.JAVA_SHORT, (short) 0x3f80, (short) 0x4000);
            var a = Mlx.array(data, DType.BFLOAT16, 2);
            data.fill((byte) 0);
            assertThat(a.toFloats()).containsExactly(1, 2);
            var back = arena.allocate(4);
            a.copyTo(back);
            assertThat(back.getAtIndex(ValueLayout.JAVA_SHORT, 1)).isEqualTo((short) 0x4000);
          }
          return null;
        });
  }

  @Test
  void endsATaskWithWhatItThrew() {
    try (var mlx = MlxThread.start("mlx")) {
      assertThatThrownBy(
              () ->
                  mlx.call(
                      () -> {
                        Mlx.zeros(DType.FLOAT32, 4);
                        throw new java.io.IOException("no");
                      }))
          .isInstanceOf(CompletionException.class)
          .hasRootCauseMessage("no");
      assertThatThrownBy(
              () ->
                  mlx.call(
                      () -> {
                        throw new CancellationException("stop");
                      }))
          .isInstanceOf(CancellationException.class);
      assertThat(mlx.call(() -> Mlx.ones(DType.INT32).itemInt())).isOne();
      assertThat(MemoryStatus.now().liveHandles()).isZero();
    }
  }

  @Test
  void finishesWhatWasHandedOverAndFreesTheRestWhenItCloses() {
    var mlx = MlxThread.start("mlx");
    var slow =
        mlx.submit(
            () -> {
              Thread.sleep(50);
              Mlx.detachedScope().keep(Mlx.zeros(DType.FLOAT32, 8));
              return Thread.currentThread().getName();
            });
    var next = mlx.submit(() -> 2);
    mlx.close();
    mlx.close();
    assertThat(slow).isCompletedWithValue("mlx");
    assertThat(next).isCompletedWithValue(2);
    assertThat(MemoryStatus.now().liveHandles()).isZero();
    assertThatThrownBy(() -> mlx.submit(() -> 3)).isInstanceOf(RejectedExecutionException.class);
  }

  @Test
  void refusesToWaitForItself() {
    try (var mlx = MlxThread.start("mlx")) {
      assertThatThrownBy(() -> mlx.call(() -> mlx.call(() -> 1)))
          .isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void saysThatAFileIsMissingOrBroken(@org.junit.jupiter.api.io.TempDir java.nio.file.Path folder) {
    MlxThread.run(
        () -> {
          assertThatThrownBy(() -> Mlx.loadSafetensors(folder.resolve("none.safetensors")))
              .isInstanceOf(MlxException.class)
              .hasMessageContaining("none.safetensors");
          var broken = folder.resolve("broken.safetensors");
          java.nio.file.Files.writeString(broken, "this is no header of any kind");
          assertThatThrownBy(() -> Mlx.loadSafetensors(broken)).isInstanceOf(MlxException.class);
          var gguf = folder.resolve("broken.gguf");
          java.nio.file.Files.writeString(gguf, "this is no header of any kind");
          assertThatThrownBy(() -> Mlx.loadGguf(gguf)).isInstanceOf(MlxException.class);
          return null;
        });
  }
}
