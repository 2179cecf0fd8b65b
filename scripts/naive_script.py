"""The job of the default command as one writes it by hand: what the benchmark is held against."""

import imageio_ffmpeg
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.animation import FuncAnimation

mpl.use("agg")
mpl.rcParams["animation.ffmpeg_path"] = imageio_ffmpeg.get_ffmpeg_exe()

torch.manual_seed(11)
x = torch.ones(100, 2)
x[:, 0].uniform_(-1.0, 1.0)
y = x @ torch.tensor([3.0, 2.0]) + torch.rand(100)

rates, epochs = (0.1, 0.7, 1.01), 100
weights, losses = [], []
for rate in rates:
    w = torch.tensor([-1.0, 1.0], requires_grad=True)
    ws, ls = [w.detach().numpy().copy()], [((x @ w - y) ** 2).mean().item()]
    for _ in range(epochs):
        loss = ((x @ w - y) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            w -= rate * w.grad
            w.grad.zero_()
        ws.append(w.detach().numpy().copy())
        ls.append(((x @ w - y) ** 2).mean().item())
    weights.append(np.array(ws))
    losses.append(np.array(ls))


def save(path, size):
    figure, axes = plt.subplots(2, 3, figsize=size, dpi=100, layout="tight")
    lines, curves = [], []
    for column, rate in enumerate(rates):
        top, bottom = axes[:, column]
        top.scatter(x[:, 0], y, s=8)
        top.set(title=f"learning rate {rate}", ylim=(-5, 10))
        lines.append(top.plot([], [], color="red")[0])
        bottom.set(yscale="log", xlim=(0, epochs), ylim=(0.05, 500), xlabel="epoch", ylabel="loss")
        curves.append(bottom.plot([], [])[0])
    ends = np.array([-1.0, 1.0])

    def draw(epoch):
        for column, rate in enumerate(rates):
            slope, bias = weights[column][epoch]
            lines[column].set_data(ends, slope * ends + bias)
            curves[column].set_data(np.arange(epoch + 1), losses[column][: epoch + 1])
            axes[0, column].set_title(f"learning rate {rate}, epoch {epoch}")
        return [*lines, *curves]

    film = FuncAnimation(figure, draw, frames=epochs + 1)
    film.save(path, writer="ffmpeg" if path.endswith("mp4") else "pillow", fps=25)


save("naive.mp4", (12.8, 7.2))
save("naive.gif", (8, 4.5))
