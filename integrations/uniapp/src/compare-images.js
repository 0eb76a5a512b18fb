// How different are two pictures? Loaded into a page, where there is a canvas: in blocks of ten by ten pixels, so that
// another machine's fonts matter little and a part that is missing or elsewhere matters much.

window.holdfastCompare = async (one, other) => {
  const blocks = async (source) => {
    const image = new Image();
    image.src = source;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = Math.round(image.width / 10);
    canvas.height = Math.round(image.height / 10);
    const context = canvas.getContext('2d');
    context.imageSmoothingQuality = 'high';
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    return context.getImageData(0, 0, canvas.width, canvas.height);
  };
  const [a, b] = [await blocks(one), await blocks(other)];
  if (a.width !== b.width || a.height !== b.height) return 1;
  let different = 0;
  for (let i = 0; i < a.data.length; i += 4) {
    const distance = Math.max(...[0, 1, 2].map((channel) => Math.abs(a.data[i + channel] - b.data[i + channel])));
    if (distance > 48) different += 1;
  }
  return different / (a.width * a.height);
};
