import { kubelet, volumes } from './others.ts'
import { series } from './prometheus.ts'

/** Returns how full a disk is, as `df` does: the share of what is not reserved for root. */
const share = (used: string, free: string) => `${used} / (${used} + ${free})`

const ofStores = { mountpoint: '=~/volumes/.*' }

/** How full the disks of the stores are, from 0 to 1, by what names them. */
export const fullDisks = {
  '{{mountpoint}}': share(
    `(${series(volumes.size, ofStores)} - ${series(volumes.freeToRoot, ofStores)})`,
    series(volumes.free, ofStores),
  ),
  '{{persistentvolumeclaim}}': share(series(kubelet.volumeUsed), series(kubelet.volumeFree)),
}
