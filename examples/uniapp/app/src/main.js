import { createSSRApp } from 'vue';
import App from './App.vue';

// uni-app looks for an export of this name
export function createApp() {
  return { app: createSSRApp(App) };
}
